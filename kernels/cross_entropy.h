// The cross-entropy of a softmax against labels, its gradient, and how often the largest logit is the label's. With
// logits x [N,K], labels l [N] and smoothing s (Szegedy et al., 2016, section 7), the target of row n is
//
//   t[n,k] = (1 - s) (k = l[n]) + s / K
//
//   softmax_cross_entropy           log_sums[n]  = log(sum over k of exp(x[n,k]))
//                                   loss         = 1/N * sum over n, k of t[n,k] (log_sums[n] - x[n,k])
//   softmax_cross_entropy_backward  dlogits[n,k] = (exp(x[n,k] - log_sums[n]) - t[n,k]) / N
//   fraction_correct                y            = 1/N * number of rows whose largest logit, the first of equal ones,
//   is
//                                                  at l[n]
//
// Whoever fills the labels refuses what is not in 0..K-1. Here a row with such a label has no target: t is zero, and
// log_sums[n] infinite, so that its softmax is zero too: it adds nothing to loss and gradient, and is not correct.
// logits, dlogits f32 [N,K]; labels i32 [N]; log_sums f32 [N]; loss, y f32 [1]; 0 <= s < 1. Each row's maximum is taken
// off before exp, so no finite logits overflow. Sums over rows are taken over fixed blocks and then in order: the same
// bytes whatever the number of threads. dlogits may be logits.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

struct CrossEntropy {
  float smoothing = 0.0F;
};

void softmax_cross_entropy(Context&, const CrossEntropy&, View logits, View labels, View loss, View log_sums);
void softmax_cross_entropy_backward(Context&, const CrossEntropy&, View logits, View labels, View log_sums,
                                    View dlogits);
void fraction_correct(Context&, View logits, View labels, View y);

}  // namespace duel

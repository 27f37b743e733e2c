// Normalisation within each row of a batch: layer (Ba, Kiros & Hinton, 2016), instance (Ulyanov, Vedaldi & Lempitsky,
// 2016) and group (Wu & He, 2018) normalisation. x is taken as [R,P,C]: R rows of P places of C columns, whose columns
// lie in G groups of neighbours; with the M = P C / G numbers of a group of a row,
//
//   group_norm_forward   mean = sum of x / M;  rstd = 1 / sqrt(sum of (x - mean)^2 / M + epsilon)
//                        y = gamma (x - mean) rstd + beta
//   group_norm_backward  with h = (x - mean) rstd and d = gamma dy:  dx = rstd (d - sum of d / M - h (sum of d h) / M)
//                        with mean and rstd following x; of each column, over all rows and places
//                        dgamma = sum of dy h;  dbeta = sum of dy
//
//   each_pixel   every place is a row of its own, R = all extents but the last, P = 1: with one group, layer
//                normalisation. Otherwise R is the first extent: with C groups instance normalisation.
//
// x, y, dy, dx [N,...,C] f32 or bf16, alike; gamma, beta, dgamma, dbeta f32 [C], all four or none (gamma 1, beta 0);
// mean, rstd f32 [R,G]. y may be x; dx may be dy or x. Statistics are taken in a way that a large mean does not spoil,
// and all sums in an order that follows from the shapes alone. Where P > 1, R C is at most kMostNormSums.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

struct GroupNorm {
  int groups = 1;
  bool each_pixel = false;
  float epsilon = 1e-5F;
};

inline constexpr std::int64_t kMostNormSums = 1 << 17;

Shape group_norm_statistics(const GroupNorm&, const Shape& x);  // [R,G]

void group_norm_forward(Context&, const GroupNorm&, View x, View gamma, View beta, View y, View mean, View rstd);
void group_norm_backward(Context&, const GroupNorm&, View dy, View x, View gamma, View mean, View rstd, View dx,
                         View dgamma, View dbeta);

}  // namespace duel

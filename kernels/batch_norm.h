// Batch normalisation (Ioffe & Szegedy, 2015, algorithms 1 and 2) over all extents but the last. With M rows of C
// columns, for each column:
//
//   batch_norm_forward    mean = sum of x / M;  rstd = 1 / sqrt(sum of (x - mean)^2 / M + epsilon)
//                         y = act(gamma (x - mean) rstd + beta)
//   batch_norm_inference  y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta), the statistics as given
//   batch_norm_backward   with h = (x - mean) rstd:  dbeta = sum of dy;  dgamma = sum of dy h
//                         dx = gamma rstd (dy - dbeta / M - h dgamma / M)
//                         dy: the gradient before the activation; dx: with mean and rstd following x
//   batch_norm_track      the statistics for inference, as moving averages; the variance is the unbiased one
//   (PyTorch's)
//                         running_mean     += momentum (mean - running_mean)
//                         running_variance += momentum (M / (M - 1) (1 / rstd^2 - epsilon) - running_variance)
//
// x, y, dy, dx [..., C] f32 or bf16, alike; all others f32 [C]. y may be x; dx may be dy or x. Statistics are taken in
// a way that a large mean does not spoil (two passes on the CPU; Chan, Golub & LeVeque, 1983, on a GPU), and all sums
// in a fixed order: the same bytes whatever the number of threads. The variance that batch_norm_track reads out of rstd
// is right to about 2^-22 (variance + epsilon).
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

struct BatchNorm {
  float epsilon = 1e-5F;
  Activation activation = {};
};

struct BatchNormTrack {
  std::int64_t rows = 0;  // M of the batch that mean and rstd are of: at least 2
  float momentum = 0.1F;
  float epsilon = 1e-5F;
};

struct BatchNormState {
  View running_mean, running_variance;
};

void batch_norm_forward(Context&, const BatchNorm&, View x, View gamma, View beta, View y, View mean, View rstd);
void batch_norm_inference(Context&, const BatchNorm&, View x, View gamma, View beta, View mean, View variance, View y);
void batch_norm_backward(Context&, View dy, View x, View gamma, View mean, View rstd, View dx, View dgamma, View dbeta);
void batch_norm_track(Context&, const BatchNormTrack&, View mean, View rstd, const BatchNormState&);

}  // namespace duel

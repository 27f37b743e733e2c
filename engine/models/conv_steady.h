// Two convolutional networks without normalisation, for relativistic pairs with R1 and R2 on every step. They are made
// for pictures of products; widths and the picture's size are configuration, with or without classes.
//
// A picture is halved S times, as often as both its extents stay whole and at least 4, and at least twice: 28x28 to
// 7x7, 64x64 to 4x4, 96x128 to 6x8. After k halvings from the full size there are c(k) = F * min(2^k, 8) channels.
//
//   generator      z [N,latent], beside the trained row of its class -> dense c(S) * H/2^S * W/2^S, act
//                  -> S times transposed 4x4, stride 2: c(S-1), ... c(0), act -> 3x3: the picture [N,H,W,C], no tanh
//   discriminator  [N,H,W,C] -> S times 4x4, stride 2: c(0), ... c(S-1), act -> where c(S) is more, 3x3: c(S), act
//                  -> dense: features, act -> dense: a logit, f32 [N,1]; with classes, plus the features' product with
//                  the row of the class (Miyato & Koyama, "cGANs with projection discriminator", 2018)
//
// act is leaky ReLU with slope 0.2. Weights and biases start as PyTorch's layers do, the generator's rows N(0, 1), the
// discriminator's N(0, 1 / features).
#pragma once

#include "engine/nn/classes.h"
#include "engine/nn/layers.h"

#include <vector>

namespace duel {

struct ConvSteadyConfig {
  int height = 28, width = 28, channels = 1;  // multiples of 4; 1 to 4
  int latent = 64;
  int filters = 32;    // F
  int features = 128;  // of the discriminator
  int classes = 0;     // 0: without
};

// Throws kind `usage`, with the values, where no networks can be made of it.
void check_conv_steady(const ConvSteadyConfig& config);

// `classes` of both: as Embedding takes them (i32 [N], or shares [N,K]); without classes, no Value. Arithmetic and
// activations have the type of z and of the pictures.

class ConvSteadyGenerator {
public:
  ConvSteadyGenerator(Parameters& parameters, const ConvSteadyConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const;

private:
  int height_, width_, channels_;  // behind the dense layer
  ClassInput classes_;
  Dense dense_;
  std::vector<ConvTransposed> up_;
  ConvSame last_;
};

class ConvSteadyDiscriminator {
public:
  ConvSteadyDiscriminator(Parameters& parameters, const ConvSteadyConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures, Value classes) const;

private:
  std::vector<Conv> convs_;
  Dense dense_, last_;
  ClassProjection classes_;
};

}  // namespace duel

// Two convolutional networks without normalisation, for relativistic pairs with R1 and R2 on every step. They are made
// for pictures of small products; widths and the picture's size are configuration, with or without classes.
//
//   generator      z [N,latent], beside the trained row of its class -> dense 4F * H/4 * W/4, act
//                  -> transposed 4x4, stride 2: 2F, act -> the same: F, act -> 3x3: the picture [N,H,W,C], without tanh
//   discriminator  [N,H,W,C] -> 4x4, stride 2: F, act -> the same: 2F, act -> 3x3: 4F, act -> dense: features, act
//                  -> dense: a logit, f32 [N,1]; with classes, plus the features' product with the row of the class
//                  (Miyato & Koyama, "cGANs with projection discriminator", 2018)
//
// act is leaky ReLU with slope 0.2. Weights and biases start as PyTorch's layers do, the generator's rows N(0, 1), the
// discriminator's N(0, 1 / features).
#pragma once

#include "engine/nn/classes.h"
#include "engine/nn/layers.h"

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
  int height_, width_, filters_;
  ClassInput classes_;
  Dense dense_;
  ConvTransposed up1_, up2_;
  ConvSame last_;
};

class ConvSteadyDiscriminator {
public:
  ConvSteadyDiscriminator(Parameters& parameters, const ConvSteadyConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures, Value classes) const;

private:
  Conv conv1_, conv2_;
  ConvSame conv3_;
  Dense dense_, last_;
  ClassProjection classes_;
};

}  // namespace duel

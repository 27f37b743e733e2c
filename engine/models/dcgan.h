// The networks of "Unsupervised representation learning with deep convolutional generative adversarial networks"
// (Radford, Metz & Chintala, 2016) as PyTorch's example has them, for pictures of other sizes too, with or without
// classes. A picture is halved n times to h x w pixels (halvings.h); F_i = 2^(i-1) F, at most 8 F.
//
//   generator      z [N,latent], beside the trained row of its class -> dense h * w * F_n, norm, ReLU
//                  -> for i = n-1 .. 1 transposed 4x4, stride 2: F_i, norm, ReLU -> the same without norm: C, tanh
//   discriminator  [N,H,W,C] -> 4x4, stride 2: F, act -> for i = 2 .. n the same: F_i, norm, act -> dense: a logit,
//                  f32 [N,1]; with classes, plus the product of the last pictures with the row of the class
//
// act is leaky ReLU with slope 0.2, the norms are batch norms, and no layer has a bias. Weights start N(0, 0.02), the
// norms' factors N(1, 0.02), the generator's rows N(0, 1), the discriminator's N(0, 1 / their width). At 64x64 the
// dense layers are the example's 4x4 convolutions of 1x1 and to 1x1 pixels.
#pragma once

#include "engine/models/halvings.h"
#include "engine/nn/classes.h"
#include "engine/nn/layers.h"
#include "engine/nn/network.h"

#include <vector>

namespace duel {

using DcganConfig = HalvingConfig;  // F: filters, at least 1. Where no networks can be made of it, they throw.

// `classes` of both: as Embedding takes them; without classes, no Value. Arithmetic and activations have the type of z
// and of the pictures.

class DcganGenerator {
public:
  static constexpr bool kMixesRows = true;

  DcganGenerator(Parameters& parameters, const DcganConfig& config);
  Value operator()(const Pass& pass, Value z, Value classes) const;

private:
  struct Up {
    Up(Parameters& parameters, const std::string& name, int channels, int filters);
    ConvTransposed conv;
    BatchNormalization norm;
  };

  Halvings halvings_;
  ClassInput classes_;
  Dense dense_;
  BatchNormalization norm_;
  std::vector<Up> ups_;
  ConvTransposed last_;
};

class DcganDiscriminator {
public:
  static constexpr bool kMixesRows = true;

  DcganDiscriminator(Parameters& parameters, const DcganConfig& config);
  Value operator()(const Pass& pass, Value pictures, Value classes) const;

private:
  struct Down {
    Down(Parameters& parameters, const std::string& name, int channels, int filters);
    Conv conv;
    BatchNormalization norm;
  };

  Halvings halvings_;
  Conv first_;
  std::vector<Down> downs_;
  Dense last_;
  ClassProjection classes_;
};

}  // namespace duel

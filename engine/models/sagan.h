// The networks of "Self-attention generative adversarial networks" (Zhang et al., 2019) on the layers of dcgan.h: every
// weight but the classes' is spectrally normalised (spectral_norm.h), pixels attend to one another (attention.h), and
// the discriminator has no other norm. A picture is halved n times to h x w pixels (halvings.h); F_i = 2^(i-1) F, at
// most 8 F.
//
//   generator      z [N,latent], beside the trained row of its class -> dense h * w * F_n, batch norm, ReLU
//                  -> for i = n-1 .. 1 transposed 4x4, stride 2: F_i, batch norm, ReLU, and attention where i is one of
//                  the two least whose picture's shorter side has at most 32 pixels
//                  -> transposed 4x4, stride 2: C, tanh
//   discriminator  [N,H,W,C] -> for i = 1 .. n 4x4, stride 2: F_i, act, and attention where i is n-1 or n
//                  -> dense: a logit, f32 [N,1]; with classes, plus the product of the last pictures with the row of
//                  the class
//
// act is leaky ReLU with slope 0.1. Layers without batch norm have biases. Weights start Glorot uniform, biases at
// zero, the generator's rows N(0, 1), the discriminator's N(0, 1 / their width).
#pragma once

#include "engine/models/halvings.h"
#include "engine/nn/attention.h"
#include "engine/nn/classes.h"
#include "engine/nn/layers.h"
#include "engine/nn/network.h"

#include <optional>
#include <vector>

namespace duel {

using SaganConfig = HalvingConfig;  // F: filters, at least 8. Where no networks can be made of it, they throw.

// `classes` of both: as Embedding takes them; without classes, no Value. Arithmetic and activations have the type of z
// and of the pictures.

class SaganGenerator {
public:
  static constexpr bool kMixesRows = true;

  SaganGenerator(Parameters& parameters, const SaganConfig& config);
  Value operator()(const Pass& pass, Value z, Value classes) const;

private:
  struct Up {
    ConvTransposed conv;
    BatchNormalization norm;
    std::optional<Attention> attention;
  };
  std::vector<Up> make_ups(Parameters& parameters, const SaganConfig& config) const;

  Halvings halvings_;
  ClassInput classes_;
  Dense dense_;
  BatchNormalization norm_;
  std::vector<Up> ups_;
  ConvTransposed last_;
};

class SaganDiscriminator {
public:
  static constexpr bool kMixesRows = false;

  SaganDiscriminator(Parameters& parameters, const SaganConfig& config);
  Value operator()(const Pass& pass, Value pictures, Value classes) const;

private:
  struct Down {
    Conv conv;
    std::optional<Attention> attention;
  };
  std::vector<Down> make_downs(Parameters& parameters, const SaganConfig& config) const;

  Halvings halvings_;
  std::vector<Down> downs_;
  Dense last_;
  ClassProjection classes_;
};

}  // namespace duel

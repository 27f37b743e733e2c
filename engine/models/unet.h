// The generator of "Image-to-image translation with conditional adversarial networks" (Isola, Zhu, Zhou & Efros, 2017,
// appendix 6.1.1), a U of convolutions whose ways down and back are joined at each size, with instance norm in place of
// batch norm and without dropout:
//
//   pictures [N,H,W,inputs] -> 4x4, stride 2: e_1 -> for i = 2 .. n: leaky, 4x4, stride 2, norm: e_i, F_i channels
//     -> ReLU of e_n -> for i = n-1 .. 1: transposed 4x4, stride 2: F_i channels, norm, ReLU, beside ReLU of e_i
//     -> transposed 4x4, stride 2: outputs, tanh: [N,H,W,outputs]
//
// F_i = 2^(i-1) F, at most 8 F; leaky has slope 0.2. e_1 and e_n have no norm, the last because it may be one pixel.
// Weights start N(0, 0.02); what is normalised has no bias. Channels of the way back come before those of e_i.
#pragma once

#include "engine/nn/group_normalization.h"
#include "engine/nn/layers.h"

#include <optional>
#include <string>
#include <vector>

namespace duel {

struct UnetConfig {
  int height = 128, width = 128;  // multiples of 2^levels
  int inputs = 3, outputs = 3;    // channels
  int filters = 64;               // F
  int levels = 7;                 // n, 2 to 8
};

// How often both extents can be halved, at most 8 times.
int unet_levels(int height, int width);

// Throws kind `usage`, with the values, where no network can be made of it.
void check_unet(const UnetConfig& config);

// Arithmetic and activations have the type of the pictures.
class Unet {
public:
  Unet(Parameters& parameters, const UnetConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  struct Down {
    Conv conv;
    std::optional<InstanceNormalization> norm;
  };
  struct Up {
    ConvTransposed conv;
    InstanceNormalization norm;
  };

  std::vector<Down> downs_;
  std::vector<Up> ups_;
  ConvTransposed last_;
};

}  // namespace duel

// The network that enlarges pictures: SRResNet (Ledig et al., 2017) without batch norm, as modified in BasicSR
// (MSRResNet).
//
//   pictures [N,H,W,channels] -> 3x3: F, leaky -> blocks -> for each doubling: 3x3 to 4 F, pixel shuffle, leaky
//   -> 3x3, leaky -> 3x3: channels -> + the pictures, bilinearly enlarged: [N, scale H, scale W, channels]
//
//   block   x + 3x3 of ReLU of 3x3 of x
//
// leaky: slope 0.1. Scale 2 and 3 are one shuffle, 4 is two by 2. All convolutions have a bias, which starts zero;
// weights start a tenth of He's normal ones. The bilinear one repeats the pictures' edge. Channels come in the order
// (row, column, channel) before a shuffle.
#pragma once

#include "engine/nn/layers.h"

#include <string>
#include <vector>

namespace duel {

struct MsrResnetConfig {
  int channels = 3;  // 1 to 4
  int filters = 64;  // F
  int blocks = 16;
  int scale = 2;  // 2, 3 or 4
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_msr_resnet(const MsrResnetConfig& config);

// Arithmetic and activations have the type of the pictures, which may be of any size.
class MsrResnet {
public:
  MsrResnet(Parameters& parameters, const MsrResnetConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  struct Block {
    Conv first, second;
  };

  int scale_;
  Conv first_;
  std::vector<Block> blocks_;
  std::vector<Conv> enlarging_;
  Conv large_, last_;
};

}  // namespace duel

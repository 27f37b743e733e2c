// The restoration network NAFNet (Chen, Chu, Zhang & Sun, "Simple baselines for image restoration", 2022, figure 2c and
// section 3): a U of blocks without an activation function.
//
//   pictures [N,H,W,inputs] -> 3x3: W channels
//     -> for each level: blocks, then 2x2 with stride 2 to twice the channels -> blocks in the middle
//     -> for each level back: 1x1 to twice the channels, pixel shuffle, + what the blocks of that level made, blocks
//     -> 3x3 -> + the first channels of the pictures: [N,H,W,outputs]
//
//   block    y = x + beta (1x1 of (each channel's scale of (gate of (3x3 of each channel of (1x1 of norm of x)))))
//            z = y + gamma (1x1 of (gate of (1x1 of norm of y)))
//   gate     one half of the channels times the other; so what comes before has twice as many
//   scale    a linear image of the means over the picture
//
// The norms are layer normalisations of each pixel. All but the 1x1 before a shuffle have a bias. Weights and biases
// start as PyTorch's layers do, beta and gamma zero: each block starts as the identity. Channels come in the order
// (row, column, channel) before a shuffle (ops::pixel_shuffle).
#pragma once

#include "engine/nn/group_normalization.h"
#include "engine/nn/layers.h"

#include <string>
#include <vector>

namespace duel {

struct NafnetConfig {
  int height = 64, width = 64;        // multiples of 2^levels
  int inputs = 3, outputs = 3;        // channels; no more outputs than inputs
  int channels = 16;                  // W
  std::vector<int> down = {1, 1, 2};  // blocks of each level, the largest pictures' first
  int middle = 2;                     // blocks
  std::vector<int> up = {1, 1, 1};    // blocks of each level back, the smallest pictures' first
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_nafnet(const NafnetConfig& config);

// A block of `channels` C; `name` stands before its parameters' names.
class NafnetBlock {
public:
  NafnetBlock(Parameters& parameters, const std::string& name, int channels);
  Value operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  // A 1x1 whose filters and biases are multiplied by a factor each, rather than its pictures: those are few numbers.
  struct ScaledConv {
    ScaledConv(Parameters& parameters, const std::string& name, const std::string& factor, int channels);
    Value operator()(Program& program, const BoundParameters& weights, Value x) const;

    std::string name;
    int weight, bias, factor;  // parameters
  };

  LayerNormalization norm1_, norm2_;
  Conv expand_, each_;
  Dense scale_;
  ScaledConv project_;
  Conv widen_;
  ScaledConv narrow_;
};

// Arithmetic and activations have the type of the pictures.
class Nafnet {
public:
  Nafnet(Parameters& parameters, const NafnetConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  struct Level {
    std::string name;
    Conv change;  // of the size: behind the blocks on the way down, before them on the way up
    std::vector<NafnetBlock> blocks;
  };

  int outputs_;
  Conv first_;
  std::vector<Level> down_;
  std::vector<NafnetBlock> middle_;
  std::vector<Level> up_;
  Conv last_;
};

}  // namespace duel

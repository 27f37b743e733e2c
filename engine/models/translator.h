// The generator that makes pictures of one kind of pictures of another: the residual network of CycleGAN (Zhu, Park,
// Isola & Efros, 2017, appendix 7.2) with the filtered halvings and doublings of CUT (Park, Efros, Zhang & Zhu, 2020).
//
//   pictures [N,H,W,channels] -> 7x7: F, norm, ReLU -> twice: 3x3 to as many channels again, norm, ReLU, halved through
//   [1,2,1] / 4 -> blocks on [N,H/4,W/4,4F] -> twice: doubled bilinearly, 3x3 to half the channels, norm, ReLU
//   -> 7x7: channels, tanh: [N,H,W,channels]
//
//   block   x + norm of 3x3 of ReLU of norm of 3x3 of x
//
// norm: instance normalisation without scale and shift. Margins are mirrored, but those of the 3x3 outside of blocks,
// which are zeros, and of the doublings, which repeat the edge. Weights start N(0, 0.02), the last layer's bias zero;
// what is normalised has no bias.
#pragma once

#include "engine/nn/layers.h"

#include <vector>

namespace duel {

struct TranslatorConfig {
  int height = 64, width = 64;  // multiples of 4, at least 8
  int channels = 3;             // 1 to 4
  int filters = 64;             // F
  int blocks = 9;               // at least 1
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_translator(const TranslatorConfig& config);

struct Translated {
  Value pictures;
  // Of the way in, for losses that compare places: the pictures given; both 3x3 before their norm, [N,H,W,2F] and
  // [N,H/2,W/2,4F]; the first and the middle block's, [N,H/4,W/4,4F], one where they are the same. What is not used
  // costs nothing.
  std::vector<Value> features;
};
std::vector<int> feature_channels(const TranslatorConfig& config);  // of each of the features

// Arithmetic and activations have the type of the pictures, which may be of any extents that such a network may have.
class Translator {
public:
  Translator(Parameters& parameters, const TranslatorConfig& config);
  Translated operator()(Program& program, const BoundParameters& weights, Value pictures) const;

private:
  struct Block {
    Conv first, second;
  };

  Conv first_;
  std::vector<Conv> halving_, doubling_;
  std::vector<Block> blocks_;
  Conv last_;
};

}  // namespace duel

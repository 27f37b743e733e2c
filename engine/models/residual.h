// The networks of R3GAN (Huang, Gokaslan, Kuleshov & Tompkin, "The GAN is dead; long live the GAN! A modern baseline
// GAN", 2024, section 3 and table 9): residual blocks in groups of channels, without normalisation, for relativistic
// pairs with R1 and R2 on every step.
//
//   generator      z [N,latent], beside the linear image of its class -> a trained picture [h,w,C] of the smallest
//                  size, each channel times a linear image of z -> blocks
//                  -> for each further stage: 1x1 where the width changes, twice the size, blocks -> 1x1: the picture
//                  [N,H,W,channels], without tanh
//   discriminator  the mirror: 1x1 -> for each stage blocks, then half the size, 1x1 where the width changes
//                  -> of the smallest pictures each channel's weighted sum [N,C] -> linear: a logit, f32 [N,1]; with
//                  classes C numbers instead, whose product with the linear image of the class is the logit
//   block          x + 1x1 of (act of (3x3 in groups of 16 channels of (act of (1x1 of x, 2C))))
//
// act adds a bias and is leaky ReLU with slope 0.2; nothing else has a bias. Sizes double and halve by [1,3,3,1]
// (kernels/resample2d.h). Weights start N(0, gain^2 / fan_in): of a block's first two convolutions the gain is
// sqrt(2 / (1 + 0.2^2)) * blocks^(-1/4) of all blocks of the network, the third starts zero, of others it is 1; the
// trained picture starts N(0, 1), the discriminator's rows of classes N(0, 1 / (C classes)).
#pragma once

#include "engine/nn/layers.h"

#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ResidualConfig {
  int height = 28, width = 28, channels = 1;  // multiples of 2^(stages - 1); 1 to 4
  int latent = 64;
  std::vector<int> widths = {64, 32, 16};  // of each stage, the smallest pictures' first; multiples of 8
  std::vector<int> blocks = {2, 2, 2};     // of each stage
  int classes = 0;                         // 0: without
};

// Throws kind `usage`, with the values, where no networks can be made of it.
void check_residual(const ResidualConfig& config);

// A block of `channels` C; `name` stands before its parameters' names.
class ResidualBlock {
public:
  // blocks: of the whole network, for the start.
  ResidualBlock(Parameters& parameters, const std::string& name, int channels, int blocks);
  Value operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  std::string name_;
  int expand_, expand_bias_, grouped_, grouped_bias_, project_;  // parameters
  int groups_;
};

// The blocks of pictures of one size, and the 1x1 that changes the width: in front of a generator's stage, behind a
// discriminator's.
struct ResidualStage {
  std::vector<ResidualBlock> blocks;
  int change = -1;  // a parameter, or none
  std::string name;
};

// `classes` of both: as Embedding takes them (i32 [N], or shares [N,K]); without classes, no Value. Arithmetic and
// activations have the type of z and of the pictures.

class ResidualGenerator {
public:
  ResidualGenerator(Parameters& parameters, const ResidualConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const;

private:
  std::optional<Embedding> classes_;
  int picture_, dense_, last_;  // parameters
  Shape smallest_;              // [h,w,C]
  std::vector<ResidualStage> stages_;
};

class ResidualDiscriminator {
public:
  ResidualDiscriminator(Parameters& parameters, const ResidualConfig& config);
  Value operator()(Program& program, const BoundParameters& weights, Value pictures, Value classes) const;

private:
  int first_;
  std::vector<ResidualStage> stages_;  // as they are run: the largest pictures' first
  int sums_, last_;
  std::optional<Embedding> classes_;
};

}  // namespace duel

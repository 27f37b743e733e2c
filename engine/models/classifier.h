// A residual network for pictures of 28 to some 128 pixels (He et al., 2016, section 4.2, with projections where the
// width changes):
//
//   [N,H,W,C] -> 3x3 with the stem's stride: F, norm, ReLU -> stages of `blocks` blocks, F, 2F, 4F... wide, which begin
//   with stride 2 but for the first -> mean over the picture: the features f32 [N,(widest)] -> dense: logits f32
//   [N,classes]
//
//   block   x -> 3x3, norm, ReLU -> 3x3, norm -> + x, or where the shape changes + norm of 1x1 of x -> ReLU
//
// The norms are batch norms, so that rows of a batch are mixed while it trains. Weights start as in He et al. (2015).
#pragma once

#include "engine/nn/layers.h"

#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ClassifierConfig {
  int height = 28, width = 28, channels = 1;  // 1 to 4 channels
  int classes = 10;
  int filters = 16;  // F
  int blocks = 3;    // of a stage
  int stages = 3;
  int stem_stride = 1;  // 2: the picture is halved before the first stage
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_classifier(const ClassifierConfig& config);

class Classifier {
public:
  struct Result {
    Value logits, features;
    std::vector<Value> maps;  // at the end of each stage, [N,H',W',F'] in the type of the pictures
  };

  Classifier(Parameters& parameters, const ClassifierConfig& config);
  static int features(const ClassifierConfig& config) { return config.filters << (config.stages - 1); }
  Result operator()(Program& program, const BoundParameters& weights, const NamedState& state, bool is_training,
                    Value pictures) const;

private:
  struct NormedConv {
    NormedConv(Parameters& parameters, const std::string& name, int channels, int filters, int kernel, int stride,
               const Activation& activation);
    Conv conv;
    BatchNormalization norm;
  };
  struct Block {
    Block(Parameters& parameters, const std::string& name, int channels, int filters, int stride);
    NormedConv first, second;
    std::optional<NormedConv> projection;
  };
  static std::vector<Block> make_blocks(Parameters& parameters, const ClassifierConfig& config);

  int blocks_a_stage_;
  NormedConv stem_;
  std::vector<Block> blocks_;
  Dense last_;
};

}  // namespace duel

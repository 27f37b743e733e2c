// Networks that lay a garment on a person: one finds where on the garment's picture each pixel of the person's lies,
// the other paints the person with what was found.
//
// The first is an appearance flow (Lee et al., "High-resolution virtual try-on with misalignment and occlusion-handled
// conditions", 2022, section 3.1) without parsing or cost volume. It begins with a flow that is regressed from all of
// both pictures at once, as Wang et al. do ("Toward characteristic-preserving image-based virtual try-on network",
// 2018, section 3.1), and that each level adds to. F filters:
//
//   garment [N,H,W,4], person [N,H,W,6], each by its own encoder:
//     level i of F/2, F, 2F, 2F channels   4x4 with stride 2, leaky 0.2, 3x3, leaky 0.2: [N,H/2^i,W/2^i,..]
//     pyramid, the smallest first          1x1 to 2F, + the level before enlarged (nearest); levels 4, 3 and 2
//   start   level 4 of both -> dense 256, leaky 0.2, dense 256, leaky 0.2, dense: a flow [N,H/16,W/16,2]
//   flow_4 = start + step_4, flow_i = enlarged flow_(i+1) + step_i
//   step_i = 3x3 to 2 of (leaky 0.2 of 3x3 to 2F of (leaky 0.2 of (3x3 to 2F of concat(garment's warped by the flow so
//            far, person's) + 3x3 to 2F of a tenth of that flow)))
//
// The last layer of the start and of each step starts at zero, so that the garment starts where it lies; the others as
// He et al. say, without which gradients of this depth take hundreds of steps to become felt; the pyramid's as
// PyTorch's. A flow is in pixels of its own size (engine/nn/flow.h). Nothing is as fine as a flow at a quarter of the
// size has room for: true warps differ from the nearest one at an eighth by 0.06 pixels.
//
// The second is a U-Net: [N,H,W,inputs] -> 4x4 with stride 2 to F, 2F, 4F, 8F, leaky 0.2 -> transposed 4x4 back, relu
// before each and beside each but the first what the same level made on the way down -> [N,H,W,5], tanh of three,
// sigmoid of two. Instance normalisation follows all convolutions but the first, the innermost and the last.
#pragma once

#include "engine/nn/layers.h"

#include <optional>
#include <string>
#include <vector>

namespace duel {

struct TryonConfig {
  int height = 96, width = 64;  // multiples of 16, at least 32
  int filters = 32;             // F, even
};

// Throws kind `usage`, with the values, where no network can be made of it.
void check_tryon(const TryonConfig& config);

class TryonFlow {
public:
  TryonFlow(Parameters& parameters, const TryonConfig& config);
  // The start and the flow of each level, enlarged by two and the last one by four, f32: two of [N,H/8,W/8,2],
  // [N,H/4,W/4,2], [N,H,W,2].
  std::vector<Value> operator()(Program& program, const BoundParameters& weights, Value garment, Value person) const;

private:
  struct Level {
    Conv halve, more;
    std::optional<Conv> lateral;  // none of the finest one
  };
  struct Step {
    Conv meet, known, more, last;
  };

  static std::vector<Level> make_encoder(Parameters& parameters, const std::string& name, int inputs, int filters);
  // The smallest first.
  static std::vector<Value> pyramid(Program& program, const BoundParameters& weights, const std::vector<Level>& levels,
                                    Value x);
  Value start(Program& program, const BoundParameters& weights, Value garment, Value person) const;

  std::vector<Level> garment_, person_;  // the largest first
  std::vector<Dense> start_;
  std::vector<Step> steps_;  // the smallest first
};

class TryonPainter {
public:
  TryonPainter(Parameters& parameters, const TryonConfig& config, int inputs);
  struct Painted {
    Value picture;      // [N,H,W,3] in -1..1
    Value taken, kept;  // [N,H,W,1] in 0..1: of the garment, and of the person where the garment is not
  };
  Painted operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  std::vector<Conv> down_;
  std::vector<ConvTransposed> up_;
};

}  // namespace duel

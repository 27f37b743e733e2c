// What CUT (Park, Efros, Zhang & Zhu, 2020, section 3.2) compares places of pictures by: for each map of features two
// dense layers of its own.
//
//   map i   [R,C_i] -> dense to `width`, ReLU -> dense to `width` -> as long as 1: f32 [R,width]
//
// Weights start N(0, 0.02), biases zero.
#pragma once

#include "engine/nn/layers.h"

#include <span>
#include <vector>

namespace duel {

struct PlaceProjectorConfig {
  std::vector<int> channels = {3};  // of each map
  int width = 256;
};

class PlaceProjector {
public:
  PlaceProjector(Parameters& parameters, const PlaceProjectorConfig& config);
  // rows: of each map, as patch_contrast.h finds them.
  std::vector<Value> operator()(Program& program, const BoundParameters& weights, std::span<const Value> rows) const;

private:
  struct Layers {
    Dense first, second;
  };

  std::vector<Layers> maps_;
};

}  // namespace duel

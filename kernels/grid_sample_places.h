// Which pixels a place of kernels/grid_sample.h lies between, for its backends.
#pragma once

#include "kernels/grid_sample.h"

namespace duel {

// Along one axis: between pixel `first` and the next, of which it has `share`. `follows`: whether it moves with the
// grid.
struct GridPoint {
  int first = 0;
  float share = 0;
  bool follows = true;
};

constexpr GridPoint grid_point(float place, int extent, GridEdge edge) {
  const auto last = static_cast<float>(extent - 1);
  float at = ((place + 1.0F) * static_cast<float>(extent) - 1.0F) * 0.5F;
  bool follows = true;
  if (edge == GridEdge::border) {
    follows = !(at <= 0.0F || at >= last);
    at = at <= 0.0F ? 0.0F : at >= last ? last : at;
  } else {  // beyond two pixels nothing changes
    at = at < -2.0F ? -2.0F : at > last + 2.0F ? last + 2.0F : at;
  }
  if (at != at) {
    return {0, at, follows};
  }
  int first = static_cast<int>(at);
  first -= static_cast<float>(first) > at ? 1 : 0;
  return {first, at - static_cast<float>(first), follows};
}

}  // namespace duel

#include "engine/nn/enlarge.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>

namespace duel {

// Tap t of 2 scale lies t - (3 scale - 1) / 2 small pixels' parts from the large pixel, whose middle is (scale - 1) / 2
// of them beside the small one's. The picture has a margin of one pixel, so `scale` zeros come before the taps.
Value enlarge_bilinearly(Program& program, Value pictures, int scale) {
  Resample2d p;
  p.up = scale;
  p.pad = (3 * scale - 1) / 2;
  p.count = 3 * scale;
  check(scale >= 2 && p.count <= Resample2d::kMostTaps, "enlarge_bilinearly: scale {}, but must be 2 to 5", scale);
  for (int t = 0; t < 2 * scale; ++t) {
    const double distance = std::abs(t - p.pad + (scale - 1) / 2.0) / scale;
    p.taps[scale + t] = static_cast<float>(std::max(0.0, 1 - distance));
  }
  std::fill_n(p.taps, scale, 0.0F);
  const Value wide = ops::pad2d(program, {PadKind::edge, 1, 1, 1, 1}, pictures);
  const Shape shape = program.shape(pictures);
  return ops::resample2d(program, p, wide, scale * shape[1], scale * shape[2]);
}

}  // namespace duel

// A part of each picture of a batch, at a place of its own, perhaps mirrored and turned: what networks from picture to
// picture are trained on. Of two batches that belong together, one S times as large as the other, the same parts are
// taken where p.scale is S and 1, and all else is alike. With picture_crop below, and S = p.scale:
//
//   crop_pictures  y[n,h,w,c] = x[n, S top + v, S left + u, c]
//                  (v, u) = (h, w), or (w, h) where it is turned; then v = S p.height - 1 - v where it is upside down,
//                  and u = S p.width - 1 - u where it is mirrored
//
// x [N,H,W,C] and y [N, S p.height, S p.width, C] of one type, f32 or bf16; step i64 [1]. S p.height <= H and
// S p.width <= W; p.height = p.width where p.turns. top and left are uniform over all places where the part lies in the
// picture; each of the three changes is made to one picture in two, or to none. Elements are copied, so every backend
// makes the same bytes. No overlap. Of data: no derivative.
#pragma once

#include "kernels/context.h"
#include "kernels/philox.h"
#include "kernels/random.h"
#include "kernels/tensor.h"

#include <cstdint>

namespace duel {

struct CropPictures {
  Random random;
  int height = 0, width = 0;  // of the part at scale 1
  int scale = 1;
  bool mirrors = false;
  bool turns = false;  // by a quarter, and upside down
};

Shape crop_pictures_output(const CropPictures&, const Shape& x);
void crop_pictures(Context&, const CropPictures&, View x, View step, View y);

struct PictureCrop {
  int top = 0, left = 0;  // at scale 1
  bool is_mirrored = false, is_upside_down = false, is_turned = false;
};

// Of a picture of the batch at `step`, of pictures of height x width pixels: the definition, for every backend and for
// tests. Numbers of one Philox block.
constexpr PictureCrop picture_crop(const CropPictures& p, int height, int width, std::uint64_t step,
                                   std::uint32_t picture) {
  const PhiloxBlock bits = philox(p.random.seed, p.random.purpose, step, picture);
  const auto places = [&](int extent, int part) { return static_cast<std::uint64_t>(extent / p.scale - part + 1); };
  return {static_cast<int>(bits[0] * places(height, p.height) >> 32),
          static_cast<int>(bits[1] * places(width, p.width) >> 32), p.mirrors && (bits[2] & 1) != 0,
          p.turns && (bits[2] & 2) != 0, p.turns && (bits[2] & 4) != 0};
}

}  // namespace duel

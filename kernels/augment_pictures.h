// Pictures changed so that a discriminator cannot learn the few there are by heart, each by draws of its own: moved,
// mirrored, with a hole, in other colours. All but the brightness is linear, so that gradients pass, any number of
// times (Zhao et al., "Differentiable augmentation for data-efficient GAN training", 2020). With picture_augmentation
// below:
//
//   augment_pictures           y[n,h,w,c]  = z[n, h-down, F(w-right), c]; 0 beyond z, and in the hole
//                              z[n,h,w,c]  = own x[n,h,w,c] + grey g[n,h,w] + mean m[n] + offset; opacity: x
//                              F(w) = W-1-w where it is mirrored, else w
//   augment_pictures_backward  dx[n,h,w,c] = own v[n,h,w,c] + grey g[n,h,w] + mean m[n]; opacity: v
//                              v[n,h,w,c]  = dy[n, h+down, F(w)+right, c]; 0 beyond dy, and from its hole
//
// g is the mean over a pixel's colours, m over all of a picture's, of x or of v. C is 1: grey, 3: red, green and blue,
// or one more for opacity. The hole is what is less than hole_rows and hole_columns away from one pixel of y.
//
// Each change is made where its draw is below the probability (mirroring: half of that), else a picture keeps its
// bytes. Below 1 no picture is more frequent than the unchanged one, so that generated pictures cannot look real by
// being changed already (Karras et al., "Training generative adversarial networks with limited data", 2020,
// section 2.2, which finds that to hold up to about 0.8).
//
// x, y alike, f32 or bf16 [N,H,W,C]; draws f32 [N,kAugmentDraws] in 0..1; probability f32 [1]. No overlap. Sums in a
// fixed order. Moves and holes are the same on every backend, colours within rounding.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

struct AugmentPictures {
  int shift_rows = 0, shift_columns = 0;  // pixels by which a picture is moved at most
  int hole_rows = 0, hole_columns = 0;    // 0: no hole
  bool mirrors = false;
  float brightness = 0;  // what is added at most, or taken off; black and white are 2 apart
  float saturation = 0;  // distances from a pixel's grey times 1 - saturation to 1 + saturation
  float contrast = 0;    // distances from the picture's mean times 1 - contrast to 1 + contrast
};

inline constexpr int kAugmentDraws = 11;  // of each picture

void augment_pictures(Context&, const AugmentPictures&, View x, View draws, View probability, View y);
void augment_pictures_backward(Context&, const AugmentPictures&, View dy, View draws, View probability, View dx);

struct PictureAugmentation {
  int down = 0, right = 0;
  bool is_mirrored = false;
  bool has_hole = false;
  int hole_row = 0, hole_column = 0;              // its centre
  float own = 1, grey = 0, mean = 0, offset = 0;  // of colours
  constexpr bool changes_colours() const { return own != 1 || grey != 0 || mean != 0 || offset != 0; }
};

// Which of `count` places a draw means.
constexpr int place_of_draw(float draw, int count) {
  const int place = static_cast<int>(draw * static_cast<float>(count));
  return place < count ? place : count - 1;  // the product may round up
}

// Of a picture of H x W: the definition, for every backend and for tests.
constexpr PictureAugmentation picture_augmentation(const AugmentPictures& p, const float* draws,  // [kAugmentDraws]
                                                   float probability, int height, int width) {
  PictureAugmentation a;
  if (draws[0] < probability) {
    a.down = place_of_draw(draws[1], 2 * p.shift_rows + 1) - p.shift_rows;
    a.right = place_of_draw(draws[2], 2 * p.shift_columns + 1) - p.shift_columns;
  }
  a.is_mirrored = p.mirrors && draws[3] < probability / 2;
  if (draws[4] < probability && p.hole_rows > 0 && p.hole_columns > 0) {
    a.has_hole = true;
    a.hole_row = place_of_draw(draws[5], height);
    a.hole_column = place_of_draw(draws[6], width);
  }
  if (draws[7] < probability) {  // brightness, then saturation, then contrast
    const float saturation = 1 + p.saturation * (2 * draws[9] - 1), contrast = 1 + p.contrast * (2 * draws[10] - 1);
    a.offset = p.brightness * (2 * draws[8] - 1);
    a.own = contrast * saturation;
    a.grey = contrast * (1 - saturation);
    a.mean = 1 - contrast;
  }
  return a;
}

}  // namespace duel

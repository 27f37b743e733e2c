// Pictures of bytes brought to another size, antialiased: two passes of weights, across and down, whose filter is as
// wide as the reduction is strong. The rule is Pillow's (Image.resize(), libImaging/Resample.c), which the literature's
// figures of "bicubic /2" mean; the sums are in f32, so that a byte may differ from Pillow's by one.
//
// Rows come one by one, so that a tall picture takes the memory of its result's width only.
#pragma once

#include "host/pictures/fit_picture.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <span>
#include <vector>

namespace duel {

enum class ResampleFilter : std::uint8_t {
  bilinear,  // a triangle: over 2 pixels where nothing is reduced
  bicubic,   // Keys 1981, a = -0.5: over 4
  lanczos,   // sinc windowed by sinc, three lobes a side: over 6
};

class Resampler {
public:
  // Both sizes at least 1x1; 1 to 4 channels, each by itself: what is transparent must be premultiplied before.
  Resampler(PictureSize from, PictureSize to, int channels, ResampleFilter filter);

  // The next rows from the top: [rows, width, channels], the first of each `stride` bytes behind that of the one
  // before.
  void add_rows(const std::uint8_t* first, int rows, std::size_t stride);

  // The picture, once all rows of it were added.
  Picture finish();

private:
  // Of each output pixel the weights of `taps` input pixels from `first` on; those it does not use are 0.
  struct Weights {
    Weights(int from, int to, ResampleFilter filter);
    std::vector<int> first;
    std::vector<float> values;  // [to, taps]
    int taps = 0;
  };

  PictureSize from_, to_;
  int channels_;
  Weights across_, down_;
  int added_ = 0;
  std::vector<std::uint8_t> narrowed_;  // [from height, to width, channels]
  std::vector<float> strip_, sums_;
};

Picture resampled(const Picture& picture, PictureSize size, ResampleFilter filter);

}  // namespace duel

// What networks have in common that double a small picture again and again, or halve a large one: a picture is halved
// until its shorter side has 4 to 7 pixels.
#pragma once

#include "kernels/tensor.h"

#include <cstdint>

namespace duel {

struct HalvingConfig {
  int height = 64, width = 64, channels = 3;  // 1 to 4 channels
  int latent = 100;
  int filters = 64;
  int classes = 0;  // 0: without
};

class Halvings {
public:
  // Throws kind `usage`, with the values, where no networks can be made of it; of a size, with the nearest ones of
  // which they can. The message begins with `networks`, their name.
  Halvings(const char* networks, const HalvingConfig& config, int least_filters);

  int count() const { return count_; }  // n, at least 1
  // Of the picture that was halved i times, 1 to n: twice as many at each, but at most 8 `filters`.
  int channels(int i) const { return filters_ << (i < 4 ? i - 1 : 3); }
  // Of the smallest one, and how many numbers it is.
  int height() const { return height_; }
  int width() const { return width_; }
  int channels() const { return channels(count_); }
  int numbers() const { return height_ * width_ * channels(); }
  Shape pictures(int count) const { return {count, height_, width_, channels()}; }

private:
  int filters_, count_ = 0, height_, width_;
};

}  // namespace duel

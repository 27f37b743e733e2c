#include "kernels/shift_flip.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>

namespace duel {

namespace {

// One row of pixels [width, channels] from another: pixel w is place_of(w), or `value` where that is no place.
template <class T, class PlaceOf>
void move_row(const T* from, T* to, int width, int channels, T value, const PlaceOf& place_of) {
  for (int w = 0; w < width; ++w) {
    const int place = place_of(w);
    T* pixel = to + std::int64_t{w} * channels;
    if (place < 0 || place >= width) {
      std::fill(pixel, pixel + channels, value);
    } else {
      std::copy_n(from + std::int64_t{place} * channels, channels, pixel);
    }
  }
}

// row(move, from, to) makes a picture [H,W,C] of another.
template <class MovePicture>
void move_pictures(CpuContext& context, const ShiftFlip& p, View from, View step, View to, const MovePicture& move) {
  const std::int64_t length = from.shape.row_count();
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  with_float_type(from.dtype, [&](auto element) {
    using T = decltype(element);
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
    parallel_ranges(context, from.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        move(picture_move(p, now, static_cast<std::uint32_t>(n)), from.as<const T>() + n * length,
             to.as<T>() + n * length);
      }
    });
  });
}

}  // namespace

void shift_flip(CpuContext& context, const ShiftFlip& p, View x, View step, View y) {
  const int height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  const bool has_border = p.edge == PictureEdge::border;
  move_pictures(context, p, x, step, y, [=]<class T>(const PictureMove& move, const T* from, T* to) {
    const T value = from_float<T>(p.value);
    const std::int64_t row = std::int64_t{width} * channels;
    const auto place_of = [=](int w) {
      const int place = has_border ? std::clamp(w - move.right, 0, width - 1) : w - move.right;
      return move.is_flipped ? width - 1 - place : place;  // what is no place stays none
    };
    for (int h = 0; h < height; ++h) {
      const int source = has_border ? std::clamp(h - move.down, 0, height - 1) : h - move.down;
      if (source < 0 || source >= height) {
        std::fill(to + h * row, to + (h + 1) * row, value);
      } else {
        move_row(from + source * row, to + h * row, width, channels, value, place_of);
      }
    }
  });
}

void shift_flip_backward(CpuContext& context, const ShiftFlip& p, View dy, View step, View dx) {
  const int height = dy.shape[1], width = dy.shape[2], channels = dy.shape[3];
  move_pictures(context, p, dy, step, dx, [=]<class T>(const PictureMove& move, const T* from, T* to) {
    const T zero = from_float<T>(0.0F);
    const std::int64_t row = std::int64_t{width} * channels;
    const auto place_of = [=](int w) { return (move.is_flipped ? width - 1 - w : w) + move.right; };
    for (int h = 0; h < height; ++h) {
      const int source = h + move.down;
      if (source < 0 || source >= height) {
        std::fill(to + h * row, to + (h + 1) * row, zero);
      } else {
        move_row(from + source * row, to + h * row, width, channels, zero, place_of);
      }
    }
  });
}

}  // namespace duel

// Pictures moved and coloured (contract: kernels/augment_pictures.h). A thread takes whole pictures, row by row: each
// row is put together from its source, and coloured where it lies, while it is in the cache.
#include "kernels/augment_pictures.h"

#include "kernels/augment_places.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <type_traits>

namespace duel {

namespace {

constexpr int colours_of(int channels) {
  return channels < 3 ? 1 : 3;
}

// Row `row` of the result [W,C], but for the colours. `from` is the whole source.
template <int channels, class T>
void move_row(const AugmentPlaces& places, const T* from, int width, int row, T* to) {
  const T zero = from_float<T>(0.0F);
  const AugmentBox& filled = places.filled;
  if (row < filled.top || row >= filled.bottom) {
    std::fill_n(to, std::int64_t{width} * channels, zero);
    return;
  }
  std::fill_n(to, std::int64_t{filled.left} * channels, zero);
  std::fill(to + std::int64_t{filled.right} * channels, to + std::int64_t{width} * channels, zero);
  const T* source = from + std::int64_t{row + places.down} * width * channels;
  if (places.across == 1) {
    std::copy_n(source + std::int64_t{filled.left + places.begin} * channels,
                std::int64_t{filled.right - filled.left} * channels, to + std::int64_t{filled.left} * channels);
    return;
  }
  for (int column = filled.left; column < filled.right; ++column) {
    std::copy_n(source + std::int64_t{places.begin - column} * channels, channels,
                to + std::int64_t{column} * channels);
  }
}

template <int channels, class T>
void cut_hole(const AugmentPlaces& places, int row, T* to) {
  if (row >= places.hole.top && row < places.hole.bottom) {
    std::fill(to + std::int64_t{places.hole.left} * channels, to + std::int64_t{places.hole.right} * channels,
              from_float<T>(0.0F));
  }
}

// The sum over the colours of `count` pixels.
template <int channels, class T>
float sum_of_colours(const T* pixels, std::int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    for (int c = 0; c < colours_of(channels); ++c) {
      sum += to_float(pixels[i * channels + c]);
    }
  }
  return sum;
}

// The mean over the colours of a picture; rows are summed apart, which keeps the rounding error small.
template <int channels, class T>
float mean_of_colours(const T* picture, int height, int width) {
  double sum = 0;
  for (int row = 0; row < height; ++row) {
    sum += static_cast<double>(sum_of_colours<channels>(picture + std::int64_t{row} * width * channels, width));
  }
  return static_cast<float>(sum / (static_cast<double>(height) * width * colours_of(channels)));
}

// Each pixel in place: own x + grey g + shift.
template <int channels, class T>
void colour_pixels(T* pixels, std::int64_t count, float own, float grey, float shift) {
  constexpr int kColours = colours_of(channels);
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    float sum = 0;
    for (int c = 0; c < kColours; ++c) {
      sum += to_float(pixels[i * channels + c]);
    }
    const float added = grey / kColours * sum + shift;
    for (int c = 0; c < kColours; ++c) {
      pixels[i * channels + c] = from_float<T>(own * to_float(pixels[i * channels + c]) + added);
    }
  }
}

// make(numbers, from, to) makes a picture [H,W,C] of another; it has the channels as a constant.
template <class MakePicture>
void augment(CpuContext& context, const AugmentPictures& p, View from, View draws, View probability, View to,
             const MakePicture& make) {
  const int height = from.shape[1], width = from.shape[2];
  const std::int64_t length = from.shape.row_count();
  const auto run = [&]<int channels, class T>(std::integral_constant<int, channels> constant, T) {
    const std::int64_t grain = std::max<std::int64_t>(1, kPointwiseGrain / length);
    parallel_ranges(context, from.shape[0], grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t n = begin; n < end; ++n) {
        const PictureAugmentation numbers = picture_augmentation(p, draws.as<const float>() + n * kAugmentDraws,
                                                                 probability.as<const float>()[0], height, width);
        make(constant, numbers, from.as<const T>() + n * length, to.as<T>() + n * length);
      }
    });
  };
  with_float_type(from.dtype, [&](auto element) {
    switch (from.shape[3]) {
      case 1: run(std::integral_constant<int, 1>{}, element); break;
      case 2: run(std::integral_constant<int, 2>{}, element); break;
      case 3: run(std::integral_constant<int, 3>{}, element); break;
      default: run(std::integral_constant<int, 4>{}, element); break;
    }
  });
}

}  // namespace

void augment_pictures(CpuContext& context, const AugmentPictures& p, View x, View draws, View probability, View y) {
  const int height = x.shape[1], width = x.shape[2];
  augment(context, p, x, draws, probability, y,
          [=]<int channels, class T>(std::integral_constant<int, channels>, const PictureAugmentation& a, const T* from,
                                     T* to) {
            const AugmentPlaces places = places_forward(p, a, height, width);
            const float mean = a.mean == 0 ? 0.0F : a.mean * mean_of_colours<channels>(from, height, width);
            for (int row = 0; row < height; ++row, to += std::int64_t{width} * channels) {
              move_row<channels>(places, from, width, row, to);
              if (a.changes_colours() && row >= places.filled.top && row < places.filled.bottom) {
                colour_pixels<channels>(to + std::int64_t{places.filled.left} * channels,
                                        places.filled.right - places.filled.left, a.own, a.grey, mean + a.offset);
              }
              cut_hole<channels>(places, row, to);
            }
          });
}

void augment_pictures_backward(CpuContext& context, const AugmentPictures& p, View dy, View draws, View probability,
                               View dx) {
  const int height = dy.shape[1], width = dy.shape[2];
  augment(context, p, dy, draws, probability, dx,
          [=]<int channels, class T>(std::integral_constant<int, channels>, const PictureAugmentation& a, const T* from,
                                     T* to) {
            const AugmentPlaces places = places_backward(p, a, height, width);
            for (int row = 0; row < height; ++row) {
              T* its = to + std::int64_t{row} * width * channels;
              move_row<channels>(places, from, width, row, its);
              cut_hole<channels>(places, row, its);
            }
            if (a.changes_colours()) {
              const float mean = a.mean == 0 ? 0.0F : a.mean * mean_of_colours<channels>(to, height, width);
              colour_pixels<channels>(to, std::int64_t{height} * width, a.own, a.grey, mean);
            }
          });
}

}  // namespace duel

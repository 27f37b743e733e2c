// Reference of kernels/augment_pictures.h; what becomes of each picture is defined by picture_augmentation there.
#pragma once

#include "kernels/augment_pictures.h"
#include "tests/reference/array.h"

#include <cstdlib>
#include <vector>

namespace duel::test::reference {

// From where in its picture a pixel of y has its colours, and how they are changed. -1: from nowhere.
struct AugmentedPicture {
  PictureAugmentation numbers;
  std::vector<int> source;  // [H*W], row * W + column
};

inline AugmentedPicture augmented_picture(const AugmentPictures& p, const Shape& shape, const Array& draws,
                                          double probability, int n) {
  std::vector<float> own(kAugmentDraws);
  for (int i = 0; i < kAugmentDraws; ++i) {
    own[at(i)] = static_cast<float>(draws[at(std::int64_t{n} * kAugmentDraws + i)]);
  }
  const int height = shape[1], width = shape[2];
  AugmentedPicture picture{picture_augmentation(p, own.data(), static_cast<float>(probability), height, width), {}};
  const PictureAugmentation& a = picture.numbers;
  for (int h = 0; h < height; ++h) {
    for (int w = 0; w < width; ++w) {
      const int row = h - a.down, moved = w - a.right;
      const bool is_there = row >= 0 && row < height && moved >= 0 && moved < width;
      const bool is_cut =
          a.has_hole && std::abs(h - a.hole_row) < p.hole_rows && std::abs(w - a.hole_column) < p.hole_columns;
      picture.source.push_back(is_there && !is_cut ? row * width + (a.is_mirrored ? width - 1 - moved : moved) : -1);
    }
  }
  return picture;
}

inline int colours_of(int channels) {
  return channels < 3 ? 1 : 3;
}

// own x + grey g + mean m + offset of one picture [H*W,C].
inline Array coloured(const PictureAugmentation& a, const Array& x, int channels, double offset) {
  const int colours = colours_of(channels);
  const std::size_t step = at(channels);
  Array y = x;
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); i += step) {
    for (std::size_t c = 0; c < at(colours); ++c) {
      sum += x[i + c];
    }
  }
  const double mean = sum / (static_cast<double>(x.size() / step) * colours);
  for (std::size_t i = 0; i < x.size(); i += step) {
    double grey = 0;
    for (std::size_t c = 0; c < at(colours); ++c) {
      grey += x[i + c] / colours;
    }
    for (std::size_t c = 0; c < at(colours); ++c) {
      y[i + c] = static_cast<double>(a.own) * x[i + c] + static_cast<double>(a.grey) * grey +
                 static_cast<double>(a.mean) * mean + offset;
    }
  }
  return y;
}

inline Array augment_pictures(const AugmentPictures& p, const Shape& shape, const Array& x, const Array& draws,
                              double probability) {
  Array y;
  const auto length = shape.row_count();
  for (int n = 0; n < shape[0]; ++n) {
    const AugmentedPicture picture = augmented_picture(p, shape, draws, probability, n);
    const Array own(x.begin() + n * length, x.begin() + (n + 1) * length);
    const Array z = coloured(picture.numbers, own, shape[3], static_cast<double>(picture.numbers.offset));
    for (const int source : picture.source) {
      for (int c = 0; c < shape[3]; ++c) {
        y.push_back(source < 0 ? 0 : z[at(std::int64_t{source} * shape[3] + c)]);
      }
    }
  }
  return y;
}

// As the transpose of the forward: each pixel gives its gradient back to where it came from.
inline Array augment_pictures_backward(const AugmentPictures& p, const Shape& shape, const Array& dy,
                                       const Array& draws, double probability) {
  Array dx;
  const auto length = shape.row_count();
  for (int n = 0; n < shape[0]; ++n) {
    const AugmentedPicture picture = augmented_picture(p, shape, draws, probability, n);
    Array v(at(length), 0.0);
    for (std::size_t i = 0; i < picture.source.size(); ++i) {
      for (int c = 0; c < shape[3] && picture.source[i] >= 0; ++c) {
        v[at(std::int64_t{picture.source[i]} * shape[3] + c)] += dy[at(n * length) + i * at(shape[3]) + at(c)];
      }
    }
    // The matrix that mixes colours is symmetrical.
    const Array its = coloured(picture.numbers, v, shape[3], 0);
    dx.insert(dx.end(), its.begin(), its.end());
  }
  return dx;
}

}  // namespace duel::test::reference

// Reference of kernels/crop_pictures.h; which part of each picture is taken is defined by picture_crop there.
#pragma once

#include "kernels/crop_pictures.h"
#include "tests/reference/array.h"

#include <algorithm>

namespace duel::test::reference {

// The part, then each change as a pass of its own, in the order in which they are undone.
inline Array crop_pictures(const CropPictures& p, const Shape& shape, const Array& x, std::uint64_t step) {
  const int rows = p.height * p.scale, columns = p.width * p.scale, channels = shape[3];
  Array y;
  for (int n = 0; n < shape[0]; ++n) {
    const PictureCrop crop = picture_crop(p, shape[1], shape[2], step, static_cast<std::uint32_t>(n));
    std::vector<std::vector<Array>> part(rows, std::vector<Array>(columns));
    for (int h = 0; h < rows; ++h) {
      for (int w = 0; w < columns; ++w) {
        const std::int64_t row = std::int64_t{n} * shape[1] + crop.top * p.scale + h;
        const std::int64_t pixel = row * shape[2] + crop.left * p.scale + w;
        for (int c = 0; c < channels; ++c) {
          part[h][w].push_back(x[at(pixel * channels + c)]);
        }
      }
    }
    if (crop.is_mirrored) {
      for (auto& row : part) {
        std::reverse(row.begin(), row.end());
      }
    }
    if (crop.is_upside_down) {
      std::reverse(part.begin(), part.end());
    }
    if (crop.is_turned) {
      auto turned = part;
      for (int h = 0; h < rows; ++h) {
        for (int w = 0; w < columns; ++w) {
          turned[h][w] = part[w][h];
        }
      }
      part = turned;
    }
    for (const auto& row : part) {
      for (const Array& pixel : row) {
        y.insert(y.end(), pixel.begin(), pixel.end());
      }
    }
  }
  return y;
}

}  // namespace duel::test::reference

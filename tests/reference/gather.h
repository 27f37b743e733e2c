// Reference of kernels/gather.h; which picture is taken is defined by picture_index there.
#pragma once

#include "kernels/gather.h"
#include "tests/reference/array.h"

namespace duel::test::reference {

inline Array gather_pictures(const Random& order, const Shape& shape, const Array& pictures, std::uint64_t step,
                             int batch) {
  const std::int64_t pixels = shape.row_count();
  Array y(at(batch * pixels));
  for (int i = 0; i < batch; ++i) {
    const std::int64_t picture = picture_index(order, static_cast<std::uint32_t>(shape[0]),
                                               static_cast<std::uint32_t>(batch), step, static_cast<std::uint32_t>(i));
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      y[at(i * pixels + pixel)] = pictures[at(picture * pixels + pixel)] / 127.5 - 1;
    }
  }
  return y;
}

inline Array load_pictures(const PictureSlot& slot, const Shape& shape, const Array& ring, std::int64_t step,
                           int batch) {
  const std::int64_t pixels = shape.row_count(), slots = shape[0] / slot.rows;
  Array y(at(batch * pixels));
  for (std::int64_t i = 0; i < batch * pixels; ++i) {
    y[at(i)] = ring[at((step % slots * slot.rows + slot.first) * pixels + i)] / 127.5 - 1;
  }
  return y;
}

}  // namespace duel::test::reference

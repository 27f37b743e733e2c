// Reference of kernels/gather.h; which row is taken is defined by row_index there.
#pragma once

#include "kernels/gather.h"
#include "tests/reference/array.h"

#include <bit>
#include <cstdint>

namespace duel::test::reference {

inline double convert_row_element(double x, DType stored, const RowScale& scale) {
  return stored == DType::i32 ? x : x / static_cast<double>(scale.divisor) + static_cast<double>(scale.shift);
}

inline Array gather_rows(const GatherRows& p, DType stored, const Shape& shape, const Array& rows, std::uint64_t step,
                         int batch) {
  const std::int64_t length = shape.row_count();
  Array y(at(batch * length));
  for (int i = 0; i < batch; ++i) {
    const std::int64_t row = row_index(p.order, static_cast<std::uint32_t>(shape[0]), static_cast<std::uint32_t>(batch),
                                       step, static_cast<std::uint32_t>(i));
    for (std::int64_t element = 0; element < length; ++element) {
      y[at(i * length + element)] = convert_row_element(rows[at(row * length + element)], stored, p.scale);
    }
  }
  return y;
}

// What the four bytes from `place` on are, lowest first.
inline std::uint32_t word_of(const Array& bytes, std::int64_t place) {
  std::uint32_t word = 0;
  for (std::int64_t i = 3; i >= 0; --i) {
    word = word << 8 | static_cast<std::uint32_t>(bytes[at(place + i)]);
  }
  return word;
}

inline Array load_rows(const LoadRows& p, const Shape& ring_shape, const Array& ring, std::int64_t step,
                       const Shape& y_shape) {
  const std::int64_t begin = step % ring_shape[0] * ring_shape[1] + p.offset;
  Array y(at(y_shape.count()));
  for (std::int64_t i = 0; i < y_shape.count(); ++i) {
    double x = 0;
    switch (p.dtype) {
      case DType::u8: x = ring[at(begin + i)]; break;
      case DType::i32: x = std::bit_cast<std::int32_t>(word_of(ring, begin + 4 * i)); break;
      default: x = static_cast<double>(std::bit_cast<float>(word_of(ring, begin + 4 * i))); break;
    }
    y[at(i)] = convert_row_element(x, p.dtype, p.scale);
  }
  return y;
}

}  // namespace duel::test::reference

// Row by row: what lies inside is copied as one piece, margins pixel by pixel.
#include "kernels/pad2d_places.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

namespace {

// visit(n, h) for each row of pictures of that shape.
template <class Visit>
void for_rows(const CpuContext& context, const Shape& shape, const Visit& visit) {
  const std::int64_t grain = std::max<std::int64_t>(1, 4 * kPointwiseGrain / (std::int64_t{shape[2]} * shape[3]));
  parallel_ranges(context, std::int64_t{shape[0]} * shape[1], grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      visit(row / shape[1], static_cast<int>(row % shape[1]));
    }
  });
}

template <class T>
void pad(const CpuContext& context, const Pad2d& p, View x, View y) {
  const PadAxis rows = pad_rows_of(p, x.shape), columns = pad_columns_of(p, x.shape);
  const std::int64_t channels = x.shape[3], row = columns.extent * channels, padded_row = columns.padded() * channels;
  for_rows(context, y.shape, [=](std::int64_t n, int h) {
    const T* const from = x.as<const T>() + (n * rows.extent + rows.source(h)) * row;
    T* const to = y.as<T>() + (n * rows.padded() + h) * padded_row;
    const auto copy_pixel = [&](int w) {
      std::copy_n(from + columns.source(w) * channels, channels, to + w * channels);
    };
    for (int w = 0; w < columns.before; ++w) {
      copy_pixel(w);
    }
    std::memcpy(to + columns.before * channels, from, static_cast<std::size_t>(row) * sizeof(T));
    for (int w = columns.before + columns.extent; w < columns.padded(); ++w) {
      copy_pixel(w);
    }
  });
}

template <class T>
void unpad(const CpuContext& context, const Pad2d& p, View dy, View dx) {
  const PadAxis rows = pad_rows_of(p, dx.shape), columns = pad_columns_of(p, dx.shape);
  const std::int64_t channels = dx.shape[3], row = columns.extent * channels, padded_row = columns.padded() * channels;
  const int first = std::min(columns.extent, columns.first_single());
  const int behind = std::max(first, columns.behind_single());
  for_rows(context, dx.shape, [=](std::int64_t n, int i) {
    const T* const from = dy.as<const T>() + n * rows.padded() * padded_row;
    T* const to = dx.as<T>() + (n * rows.extent + i) * row;
    const auto sum_pixels = [&](int begin, int end) {
      for (int j = begin; j < end; ++j) {
        for (std::int64_t c = 0; c < channels; ++c) {
          float sum = 0;
          rows.each_use(i, [&](int h) {
            columns.each_use(j, [&](int w) { sum += to_float(from[h * padded_row + w * channels + c]); });
          });
          to[j * channels + c] = from_float<T>(sum);
        }
      }
    };
    const bool is_single = i >= rows.first_single() && i < rows.behind_single();
    sum_pixels(0, is_single ? first : columns.extent);
    if (is_single) {
      std::memcpy(to + first * channels, from + (rows.before + i) * padded_row + (columns.before + first) * channels,
                  static_cast<std::size_t>((behind - first) * channels) * sizeof(T));
      sum_pixels(behind, columns.extent);
    }
  });
}

}  // namespace

void pad2d(CpuContext& context, const Pad2d& p, View x, View y) {
  if (size_of(x.dtype) == 4) {
    pad<std::uint32_t>(context, p, x, y);
  } else {
    pad<std::uint16_t>(context, p, x, y);
  }
}

void pad2d_backward(CpuContext& context, const Pad2d& p, View dy, View dx) {
  with_float_type(dx.dtype, [&](auto element) { unpad<decltype(element)>(context, p, dy, dx); });
}

}  // namespace duel

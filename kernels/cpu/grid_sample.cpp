// Place by place. The gradient of pictures is made in bands of rows that fit into the second cache, in f32: each goes
// through all places of its picture in order, and takes what falls on its rows. So every pixel's sum has the order of
// the places, whatever the bands.
#include "kernels/grid_sample_places.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <cstring>

namespace duel {

namespace {

// Of one picture, the places of its grid.
struct Place {
  GridPoint row, column;

  Place(const float* uv, int height, int width, GridEdge edge)
      : row(grid_point(uv[1], height, edge)), column(grid_point(uv[0], width, edge)) {}

  // visit(row, column, weight, dweight/drow, dweight/dcolumn) for each of the four pixels that is there.
  template <class Visit>
  void each_pixel(int height, int width, const Visit& visit) const {
    for (int i = 0; i < 2; ++i) {
      const float of_row = i == 0 ? 1.0F - row.share : row.share;
      for (int j = 0; j < 2; ++j) {
        const float of_column = j == 0 ? 1.0F - column.share : column.share;
        const int h = row.first + i, w = column.first + j;
        if (h >= 0 && h < height && w >= 0 && w < width) {
          visit(h, w, of_row * of_column, i == 0 ? -of_column : of_column, j == 0 ? -of_row : of_row);
        }
      }
    }
  }
};

std::int64_t places_of(View grid) {
  return std::int64_t{grid.shape[1]} * grid.shape[2];
}

std::int64_t grain_of(View x) {
  return std::max<std::int64_t>(1, kPointwiseGrain / (4 * x.shape[3]));
}

template <class T>
void sample(const CpuContext& context, const GridSample& p, View x, View grid, View y) {
  const int height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  const std::int64_t places = places_of(grid), picture = x.shape.row_count();
  parallel_ranges(context, grid.shape[0] * places, grain_of(x), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const Place place(grid.as<const float>() + 2 * at, height, width, p.edge);
      const T* from[4];
      float weights[4];
      int count = 0;
      place.each_pixel(height, width, [&](int h, int w, float weight, float, float) {
        from[count] = x.as<const T>() + at / places * picture + (std::int64_t{h} * width + w) * channels;
        weights[count++] = weight;
      });
      T* const to = y.as<T>() + at * channels;
      if (count == 0) {
        std::fill_n(to, channels, T{});
        continue;
      }
      for (; count < 4; ++count) {  // pixels that are not there
        from[count] = from[0];
        weights[count] = 0;
      }
#pragma omp simd
      for (int c = 0; c < channels; ++c) {
        to[c] = from_float<T>(weights[0] * to_float(from[0][c]) + weights[1] * to_float(from[1][c]) +
                              weights[2] * to_float(from[2][c]) + weights[3] * to_float(from[3][c]));
      }
    }
  });
}

template <class T>
void splat(const CpuContext& context, const GridSample& p, View dy, View grid, View dx) {
  const int height = dx.shape[1], width = dx.shape[2], channels = dx.shape[3];
  const std::int64_t places = places_of(grid);
  // Of a thread's own part of the partial results: as many rows as fit, or as many columns of one.
  const auto room = static_cast<std::int64_t>(CpuContext::kPartialBytes / sizeof(float)) / context.threads();
  const auto taken = static_cast<int>(std::clamp<std::int64_t>(room / width, 1, channels));
  const auto rows = static_cast<int>(std::clamp<std::int64_t>(room / (std::int64_t{width} * taken), 1, height));
  check(std::int64_t{width} * taken <= room,
        "grid_sample_backward_input: rows of {} pixels are too long for {} threads", width, context.threads());
  const int bands = (height + rows - 1) / rows, chunks = (channels + taken - 1) / taken;
  parallel_ranges(
      context, std::int64_t{dx.shape[0]} * bands * chunks, 1,
      [=, &context](std::int64_t begin, std::int64_t end, int member) {
        float* const sums = static_cast<float*>(context.partials()) + member * room;  // [rows, width, taken]
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t n = i / chunks / bands;
          const int first = static_cast<int>(i / chunks % bands) * rows, behind = std::min(height, first + rows);
          const int column = static_cast<int>(i % chunks) * taken, count = std::min(channels - column, taken);
          std::fill_n(sums, std::int64_t{behind - first} * width * count, 0.0F);
          for (std::int64_t at = n * places; at < (n + 1) * places; ++at) {
            const float* const uv = grid.as<const float>() + 2 * at;
            const int row = grid_point(uv[1], height, p.edge).first;
            if (row + 1 < first || row >= behind) {
              continue;
            }
            const T* const gradient = dy.as<const T>() + at * channels + column;
            Place(uv, height, width, p.edge).each_pixel(height, width, [&](int h, int w, float weight, float, float) {
              if (h >= first && h < behind) {
                float* const to = sums + (std::int64_t{h - first} * width + w) * count;
#pragma omp simd
                for (int c = 0; c < count; ++c) {
                  to[c] += weight * to_float(gradient[c]);
                }
              }
            });
          }
          T* const to = dx.as<T>() + ((n * height + first) * width) * channels + column;
          for (std::int64_t pixel = 0; pixel < std::int64_t{behind - first} * width; ++pixel) {
            for (int c = 0; c < count; ++c) {
              to[pixel * channels + c] = from_float<T>(sums[pixel * count + c]);
            }
          }
        }
      });
}

template <class T>
void differentiate(const CpuContext& context, const GridSample& p, View dy, View x, View grid, View dgrid) {
  const int height = x.shape[1], width = x.shape[2], channels = x.shape[3];
  const std::int64_t places = places_of(grid), picture = x.shape.row_count();
  parallel_ranges(context, grid.shape[0] * places, grain_of(x), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const Place place(grid.as<const float>() + 2 * at, height, width, p.edge);
      const T* const gradient = dy.as<const T>() + at * channels;
      float by_row = 0, by_column = 0;
      place.each_pixel(height, width, [&](int h, int w, float, float slope_of_row, float slope_of_column) {
        const T* const from = x.as<const T>() + at / places * picture + (std::int64_t{h} * width + w) * channels;
        float product = 0;
#pragma omp simd reduction(+ : product)
        for (int c = 0; c < channels; ++c) {
          product += to_float(gradient[c]) * to_float(from[c]);
        }
        by_row += slope_of_row * product;
        by_column += slope_of_column * product;
      });
      float* const to = dgrid.as<float>() + 2 * at;
      to[0] = place.column.follows ? 0.5F * static_cast<float>(width) * by_column : 0.0F;
      to[1] = place.row.follows ? 0.5F * static_cast<float>(height) * by_row : 0.0F;
    }
  });
}

}  // namespace

void grid_sample(CpuContext& context, const GridSample& p, View x, View grid, View y) {
  with_float_type(x.dtype, [&](auto element) { sample<decltype(element)>(context, p, x, grid, y); });
}

void grid_sample_backward_input(CpuContext& context, const GridSample& p, View dy, View grid, View dx) {
  with_float_type(dx.dtype, [&](auto element) { splat<decltype(element)>(context, p, dy, grid, dx); });
}

void grid_sample_backward_grid(CpuContext& context, const GridSample& p, View dy, View x, View grid, View dgrid) {
  with_float_type(x.dtype, [&](auto element) { differentiate<decltype(element)>(context, p, dy, x, grid, dgrid); });
}

}  // namespace duel

// Pictures looked up between their pixels (contract: kernels/grid_sample.h).
//
//   grid_sample_kernel    one thread makes one element of y at a time, neighbours neighbouring channels. Bytes moved:
//                         those of the arrays, as far as the caches hold what places share
//   grid_splat_kernel     a block makes a tile of dx of kTileRows rows, kTileColumns columns and some channels, in
//   shared
//                         memory. It goes through all places of the picture, kThreads at a time: those that fall on the
//                         tile are listed in order, and then each thread adds the listed places to the numbers that are
//                         its own (a channel of some rows). So every sum has the order of the places. Every tile reads
//                         the whole grid of its picture, out of the second cache
//   grid_gradient_kernel  `lanes` threads of a warp take a place, each every lanes-th channel
#include "kernels/grid_sample_places.h"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

#include <algorithm>

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256, kWarps = kThreads / 32;
#ifdef DUEL_EMULATED
constexpr std::int64_t kMostBlocks = 3;  // so that small arrays loop, and have several tiles
constexpr int kTileRows = 4, kTileColumns = 4, kTileChannels = 8;
#else
constexpr std::int64_t kMostBlocks = 2048;
constexpr int kTileRows = 8, kTileColumns = 8, kTileChannels = 64;
#endif

// The pictures that are looked up, and the places of a picture's grid.
struct Sampled {
  int height, width, channels;
  GridEdge edge;
  std::int64_t places;

  __device__ __forceinline__ std::int64_t picture() const { return std::int64_t{height} * width * channels; }
};

// visit(row, column, row's weight, column's weight, whether it is the next row, the next column) for each of the four
// pixels that is there.
template <class Visit>
__device__ __forceinline__ void each_pixel(const GridPoint& row, const GridPoint& column, const Sampled& of,
                                           const Visit& visit) {
#pragma unroll
  for (int i = 0; i < 2; ++i) {
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const int h = row.first + i, w = column.first + j;
      if (h >= 0 && h < of.height && w >= 0 && w < of.width) {
        visit(h, w, i == 0 ? 1.0F - row.share : row.share, j == 0 ? 1.0F - column.share : column.share, i == 1, j == 1);
      }
    }
  }
}

}  // namespace

// ---- kernels

template <class T>
__global__ void __launch_bounds__(kThreads) grid_sample_kernel(const T* x,         // [N,H,W,C]
                                                               const float* grid,  // [N,P,Q,2]
                                                               T* y,               // [N,P,Q,C]
                                                               Sampled of, Divider by_channels, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t e = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; e < count; e += stride) {
    const int at = by_channels.quotient(static_cast<int>(e)), c = by_channels.remainder(static_cast<int>(e), at);
    const T* const from = x + at / of.places * of.picture() + c;
    const GridPoint column = grid_point(grid[2 * std::int64_t{at}], of.width, of.edge);
    const GridPoint row = grid_point(grid[2 * std::int64_t{at} + 1], of.height, of.edge);
    float sum = 0;
    each_pixel(row, column, of, [&](int h, int w, float of_row, float of_column, bool, bool) {
      sum += of_row * of_column * to_float(from[(std::int64_t{h} * of.width + w) * of.channels]);
    });
    y[e] = from_float<T>(sum);
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) grid_splat_kernel(const T* dy,        // [N,P,Q,C]
                                                              const float* grid,  // [N,P,Q,2]
                                                              T* dx,              // [N,H,W,C]
                                                              Sampled of, int tiles_down, int tiles_across, int wide) {
  // wide: threads beside each other for the channels, a power of two, at most kTileChannels
  DUEL_SHARED(sums, float[kTileRows * kTileColumns][kTileChannels]);
  DUEL_SHARED(places, int[kThreads]);
  DUEL_SHARED(rows, GridPoint[kThreads]);
  DUEL_SHARED(columns, GridPoint[kThreads]);
  DUEL_SHARED(counts, int[kWarps]);
  const int thread = static_cast<int>(threadIdx.x), tile = static_cast<int>(blockIdx.x);
  const int top = tile / tiles_across % tiles_down * kTileRows, left = tile % tiles_across * kTileColumns;
  const std::int64_t n = tile / tiles_across / tiles_down;
  const int channel = static_cast<int>(blockIdx.y) * kTileChannels + thread % wide;
  const int groups = kThreads / wide, group = thread / wide;  // of rows: a thread's are every groups-th
  for (int i = thread; i < kTileRows * kTileColumns * kTileChannels; i += kThreads) {
    sums[i / kTileChannels][i % kTileChannels] = 0;
  }
  for (std::int64_t first = 0; first < of.places; first += kThreads) {
    const std::int64_t place = first + thread;
    GridPoint row, column;
    bool is_here = false;
    if (place < of.places) {
      const float* const uv = grid + 2 * (n * of.places + place);
      column = grid_point(uv[0], of.width, of.edge);
      row = grid_point(uv[1], of.height, of.edge);
      is_here = row.first + 1 >= top && row.first < top + kTileRows && column.first + 1 >= left &&
                column.first < left + kTileColumns;
    }
    const unsigned mask = __ballot_sync(kFullWarp, is_here);
    __syncthreads();  // the list of the turn before has been read, and the sums are zero
    if (thread % 32 == 0) {
      counts[thread / 32] = __popc(mask);
    }
    __syncthreads();  // the warps' counts say where each one's part of the list begins
    int begin = 0, count = 0;
    for (int warp = 0; warp < kWarps; ++warp) {
      begin += warp < thread / 32 ? counts[warp] : 0;
      count += counts[warp];
    }
    if (is_here) {
      const int at = begin + __popc(mask & ((1U << (thread % 32)) - 1U));
      places[at] = static_cast<int>(place);
      rows[at] = row;
      columns[at] = column;
    }
    __syncthreads();  // the list is whole
    for (int i = 0; i < count && channel < of.channels; ++i) {
      const float gradient = to_float(dy[(n * of.places + places[i]) * of.channels + channel]);
      each_pixel(rows[i], columns[i], of, [&](int h, int w, float of_row, float of_column, bool, bool) {
        const int down = h - top, across = w - left;
        if (down >= 0 && down < kTileRows && across >= 0 && across < kTileColumns && down % groups == group) {
          sums[down * kTileColumns + across][thread % wide] += of_row * of_column * gradient;
        }
      });
    }
  }
  // What is written is a thread's own: no barrier.
  for (int down = group; down < kTileRows && top + down < of.height && channel < of.channels; down += groups) {
    for (int across = 0; across < kTileColumns && left + across < of.width; ++across) {
      const std::int64_t pixel = (n * of.height + top + down) * of.width + left + across;
      dx[pixel * of.channels + channel] = from_float<T>(sums[down * kTileColumns + across][thread % wide]);
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) grid_gradient_kernel(const T* dy,        // [N,P,Q,C]
                                                                 const T* x,         // [N,H,W,C]
                                                                 const float* grid,  // [N,P,Q,2]
                                                                 float* dgrid,       // [N,P,Q,2]
                                                                 Sampled of, int lanes, std::int64_t count) {
  const int lane = static_cast<int>(threadIdx.x) % lanes, at_once = kThreads / lanes;
  const std::int64_t stride = std::int64_t{gridDim.x} * at_once;
  // All threads of a block take part in every turn: some lanes of a warp may have no place in the last.
  for (std::int64_t first = std::int64_t{blockIdx.x} * at_once; first < count; first += stride) {
    const std::int64_t at = first + threadIdx.x / lanes;
    float by_row = 0, by_column = 0;
    GridPoint row, column;
    if (at < count) {
      column = grid_point(grid[2 * at], of.width, of.edge);
      row = grid_point(grid[2 * at + 1], of.height, of.edge);
      const T* const from = x + at / of.places * of.picture();
      for (int c = lane; c < of.channels; c += lanes) {
        const float gradient = to_float(dy[at * of.channels + c]);
        each_pixel(row, column, of, [&](int h, int w, float of_row, float of_column, bool is_below, bool is_right) {
          const float product = gradient * to_float(from[(std::int64_t{h} * of.width + w) * of.channels + c]);
          by_row += (is_below ? of_column : -of_column) * product;
          by_column += (is_right ? of_row : -of_row) * product;
        });
      }
    }
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
      by_row += __shfl_xor_sync(kFullWarp, by_row, distance);
      by_column += __shfl_xor_sync(kFullWarp, by_column, distance);
    }
    if (lane == 0 && at < count) {
      dgrid[2 * at] = column.follows ? 0.5F * static_cast<float>(of.width) * by_column : 0.0F;
      dgrid[2 * at + 1] = row.follows ? 0.5F * static_cast<float>(of.height) * by_row : 0.0F;
    }
  }
}

// ---- launchers

namespace {

Sampled sampled(const GridSample& p, View x, View grid) {
  return {x.shape[1], x.shape[2], x.shape[3], p.edge, std::int64_t{grid.shape[1]} * grid.shape[2]};
}

int power_of_two(int least, int most) {
  int power = 1;
  while (power < least && power < most) {
    power *= 2;
  }
  return power;
}

}  // namespace

void grid_sample(CudaContext& context, const GridSample& p, View x, View grid, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "grid_sample", {blocks_for(y.count(), kThreads, 1, kMostBlocks), kThreads}, grid_sample_kernel<T>,
           x.as<const T>(), grid.as<const float>(), y.as<T>(), sampled(p, x, grid), Divider(x.shape[3]), y.count());
  });
}

void grid_sample_backward_input(CudaContext& context, const GridSample& p, View dy, View grid, View dx) {
  const Sampled of = sampled(p, dx, grid);
  const int down = (of.height + kTileRows - 1) / kTileRows, across = (of.width + kTileColumns - 1) / kTileColumns;
  const std::int64_t tiles = std::int64_t{dx.shape[0]} * down * across;
  const dim3 blocks(static_cast<unsigned>(tiles),
                    static_cast<unsigned>((of.channels + kTileChannels - 1) / kTileChannels));
  with_float_type(dx.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "grid_sample_backward_input", {blocks, kThreads}, grid_splat_kernel<T>, dy.as<const T>(),
           grid.as<const float>(), dx.as<T>(), of, down, across, power_of_two(of.channels, kTileChannels));
  });
}

void grid_sample_backward_grid(CudaContext& context, const GridSample& p, View dy, View x, View grid, View dgrid) {
  const int lanes = power_of_two(x.shape[3], 32);
  const std::int64_t count = grid.count() / 2;
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, "grid_sample_backward_grid", {blocks_for(count, kThreads / lanes, 1, kMostBlocks), kThreads},
           grid_gradient_kernel<T>, dy.as<const T>(), x.as<const T>(), grid.as<const float>(), dgrid.as<float>(),
           sampled(p, x, grid), lanes, count);
  });
}

}  // namespace duel

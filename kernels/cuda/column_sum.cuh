// Sums over the rows of a matrix, result[c] = scale * sum over r of x[r,c], in an order that follows from the matrix's
// extents alone: the gradient of a bias, and sums over each column. Bound by the bytes of the matrix.
//
// The matrix is read in vectors of 16 bytes. Where a row is not a whole number of vectors, `fold` rows that together
// are one are taken for one long row: [101,3] floats as [25,12] and one row left over. Rows of up to kNarrow vectors
// are one tile, longer ones are cut into tiles of 32 vectors (of single elements, where vectors do not fit).
//
//   block (tile, part)   the rows of its part, `lanes` of them at a time, side by side where the tile is a whole row
//   thread l*width + p   vector p of the tile in every lanes-th row, in its registers
//   then                 the lanes are added in shared memory as a tree, then the folded rows; the part's sums go to
//                        `partials`, and the block that finishes a tile last adds the parts
//
// What is summed is a Source: `load` reads `Width` elements of all its arrays at one offset, `use` makes terms of them,
// and may write an array of its own on the way. Loads of four rows are in flight at a time.
#pragma once

#include "kernels/cuda/device.cuh"

#include <algorithm>
#include <numeric>

namespace duel {

inline constexpr int kColumnSumThreads = 256;
inline constexpr int kColumnSumParts = 384;   // the most blocks of a sum in parts: an H100 runs 396 of them at once
inline constexpr int kColumnSumNarrow = 128;  // vectors of the widest tile

// How the sum is shared out; made by the launcher.
struct ColumnSum {
  int columns;
  int tile_width;            // vectors of a tile
  std::int64_t row_vectors;  // vectors of a (folded) row
  int fold;                  // rows of the matrix in one of these
  std::int64_t rows;         // folded rows
  std::int64_t part_rows;    // of them in a part; the last part may have fewer
  int rows_left;             // rows of the matrix behind them, fewer than `fold`
  float scale;
};

// The plainest source: x itself.
template <class T>
struct ElementsOf {
  using Element = T;
  const T* x;  // [rows, columns]

  template <int Width>
  __device__ __forceinline__ Vector<T, Width> load(std::int64_t offset) const {
    return load_vector<T, Width>(x + offset);
  }
  template <int Width>
  __device__ __forceinline__ void use(std::int64_t, const Vector<T, Width>& loaded, float (&sums)[Width]) const {
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      sums[i] += to_float(loaded.values[i]);
    }
  }
};

// Thread l * width + p, l < lanes, brings `sums`; thread p gets the sum over all l. All threads must call it.
template <int Width>
__device__ __forceinline__ void sum_lanes(float (&sums)[Width], int lanes, int width,
                                          float (&exchange)[kColumnSumThreads * Width]) {
  const int lane = static_cast<int>(threadIdx.x) / width;
  float* own = exchange + threadIdx.x * Width;
  while (lanes > 1) {
    const int half = (lanes + 1) / 2;
    if (lane >= half && lane < lanes) {
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        own[i] = sums[i];
      }
    }
    __syncthreads();  // the upper half is written; the next turn writes below it
    if (lane + half < lanes) {
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sums[i] += own[half * width * Width + i];
      }
    }
    lanes = half;
  }
}

template <int Width, class Source>
__global__ void __launch_bounds__(kColumnSumThreads, 3)
    column_sum_kernel(Source source, ColumnSum p, float* partials,  // [parts, columns]
                      unsigned* tickets,                            // [tiles]
                      float* result) {                              // [columns]
  DUEL_SHARED_ALIGNED(16, exchange, float[kColumnSumThreads * Width]);
  const int parts = static_cast<int>(gridDim.y), part = static_cast<int>(blockIdx.y);
  const int thread = static_cast<int>(threadIdx.x);

  // This thread's vector of every lanes-th row of the part.
  const int lanes = kColumnSumThreads / p.tile_width, lane = thread / p.tile_width;
  const std::int64_t first_vector = std::int64_t{blockIdx.x} * p.tile_width;
  const std::int64_t vector = first_vector + thread % p.tile_width;
  float sums[Width] = {};
  if (lane < lanes && vector < p.row_vectors) {
    const std::int64_t part_end = p.part_rows * (part + 1), row_length = p.row_vectors * Width;
    const std::int64_t end = part_end < p.rows ? part_end : p.rows;
    std::int64_t row = p.part_rows * part + lane;
    std::int64_t offset = row * row_length + vector * Width;
    const std::int64_t step = lanes * row_length;
    constexpr int kInFlight = 4;
#pragma unroll 1  // here and below: unrolled, they would begin with a division in 64 bits
    for (; row + (kInFlight - 1) * lanes < end; row += kInFlight * lanes, offset += kInFlight * step) {
      decltype(source.template load<Width>(0)) loaded[kInFlight];
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        loaded[i] = source.template load<Width>(offset + i * step);
      }
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        source.template use<Width>(offset + i * step, loaded[i], sums);
      }
    }
#pragma unroll 1
    for (; row < end; row += lanes, offset += step) {
      source.template use<Width>(offset, source.template load<Width>(offset), sums);
    }
  }
  sum_lanes<Width>(sums, lanes, p.tile_width, exchange);
  if (lane == 0) {  // no turn of sum_lanes reads its part of `exchange`
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      exchange[thread * Width + i] = sums[i];
    }
  }
  __syncthreads();  // a column is added up from other threads' vectors

  // The columns of the tile: of all its folded rows, and of the rows left over.
  const std::int64_t first_column = p.fold > 1 ? 0 : first_vector * Width;
  const std::int64_t most_columns = p.fold > 1 ? p.columns : std::int64_t{p.tile_width} * Width;
  const int tile_columns = static_cast<int>(std::min(most_columns, p.columns - first_column));
  for (int c = thread; c < tile_columns; c += kColumnSumThreads) {
    float sum[1] = {exchange[c]};
    for (int row = 1; row < p.fold; ++row) {
      sum[0] += exchange[row * p.columns + c];
    }
    const int rows_left = part == parts - 1 ? p.rows_left : 0;
    for (int row = 0; row < rows_left; ++row) {
      const std::int64_t offset = (p.rows * p.fold + row) * p.columns + c;
      source.template use<1>(offset, source.template load<1>(offset), sum);
    }
    if (parts == 1) {
      result[first_column + c] = p.scale * sum[0];
    } else {
      partials[std::int64_t{p.columns} * part + first_column + c] = sum[0];
    }
  }
  if (parts == 1 || !is_last_block(tickets + blockIdx.x, gridDim.y)) {
    return;  // the whole block
  }

  // The parts, again several at a time.
  for (int begin = 0; begin < tile_columns; begin += kColumnSumThreads) {
    const int columns_left = tile_columns - begin;
    const int width = columns_left < kColumnSumThreads ? columns_left : kColumnSumThreads;
    const int part_lanes = kColumnSumThreads / width, first_part = thread / width;
    const std::int64_t column = first_column + begin + thread % width;
    float sum[1] = {};
    if (first_part < part_lanes) {
#pragma unroll 16
      for (int i = first_part; i < parts; i += part_lanes) {
        sum[0] += partials[std::int64_t{p.columns} * i + column];
      }
    }
    DUEL_SHARED(part_sums, float[kColumnSumThreads]);
    sum_lanes<1>(sum, part_lanes, width, part_sums);
    if (first_part == 0) {
      result[column] = p.scale * sum[0];
    }
  }
}

// result[c] = scale * sum over the rows of what `source` makes of its [rows, columns] arrays. `is_aligned`: they all
// begin at a multiple of 16 bytes.
template <class Source>
void sum_columns(CudaContext& context, const char* op, const Source& source, bool is_aligned, std::int64_t rows,
                 int columns, float scale, float* result) {
  constexpr int kVector = kPerVector<typename Source::Element>;
  const int fold = kVector / std::gcd(columns, kVector);
  const bool is_narrow = is_aligned && columns / (kVector / fold) <= kColumnSumNarrow;
  const bool is_vectorised = is_narrow || (is_aligned && fold == 1);
  const int width = is_vectorised ? kVector : 1;

  ColumnSum p{};
  p.columns = columns;
  p.fold = is_vectorised ? fold : 1;
  p.row_vectors = std::int64_t{columns} * p.fold / width;
  p.rows = rows / p.fold;
  // Few rows are cut into narrow tiles, so that no thread has many of them and nobody waits for parts.
  const bool is_whole_row = p.row_vectors < 32 || (is_narrow && (p.fold > 1 || p.rows > 16 * kColumnSumThreads / 32));
  p.tile_width = static_cast<int>(is_whole_row ? p.row_vectors : 32);
  p.rows_left = static_cast<int>(rows % p.fold);
  p.scale = scale;
  // Parts of at least four rows a thread, and one part where that gives none more than sixteen.
  const std::int64_t tiles = (p.row_vectors + p.tile_width - 1) / p.tile_width;
  const std::int64_t most_parts = std::max<std::int64_t>(1, kColumnSumParts / tiles);
  const std::int64_t lanes = kColumnSumThreads / p.tile_width;
  const std::int64_t least_rows = (p.rows > 16 * lanes ? 4 : 16) * lanes;
  p.part_rows = std::max(least_rows, (p.rows + most_parts - 1) / most_parts);
  const std::int64_t parts = std::max<std::int64_t>(1, (p.rows + p.part_rows - 1) / p.part_rows);
  static_assert(kColumnSumParts <= CudaContext::kTickets);
  static_assert(sizeof(float) * kColumnSumParts * kColumnSumNarrow * 8 <= CudaContext::kPartialBytes);

  const Launch shape{{static_cast<unsigned>(tiles), static_cast<unsigned>(parts)}, kColumnSumThreads};
  auto* partials = static_cast<float*>(context.partials());
  if (is_vectorised) {
    launch(context, op, shape, column_sum_kernel<kVector, Source>, source, p, partials, context.tickets(), result);
  } else {
    launch(context, op, shape, column_sum_kernel<1, Source>, source, p, partials, context.tickets(), result);
  }
}

}  // namespace duel

// Sums along the rows of a matrix, y[n] = finish(sum over i of term(x[n,i])), in f64 and in an order that follows from
// the extents alone; an array is one row. Bound by the bytes of the matrix.
//
//   many short rows   a warp each, one element a lane at a time
//   otherwise         rows * chunks blocks of 256 threads: one thread takes 16 bytes at a time, a block every chunks-th
//                     of its row's; the chunks' sums go to `partials`, and the block that finishes a row last adds them
#pragma once

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kRowSumThreads = 256;
inline constexpr int kRowSumShort = 512;            // elements of a row that one warp sums
inline constexpr int kRowSumBlocks = 512;           // the most blocks, where a row has more than one
inline constexpr std::int64_t kRowSumLeast = 8192;  // elements of a chunk

template <class T, class Term, class Finish>
__global__ void __launch_bounds__(kRowSumThreads)
    short_row_sum_kernel(const T* x,  // [rows, length]
                         float* y,    // [rows]
                         std::int64_t rows, std::int64_t length, Term term, Finish finish) {
  const std::int64_t row = std::int64_t{blockIdx.x} * (kRowSumThreads / 32) + threadIdx.x / 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  double sum = 0;
  if (row < rows) {
    for (std::int64_t i = lane; i < length; i += 32) {
      sum += term(load_vector<T, 1>(x + row * length + i));
    }
  }
  sum = warp_sum(sum);
  if (row < rows && lane == 0) {
    y[row] = finish(sum);
  }
}

template <int Width, class T, class Term, class Finish>
__global__ void __launch_bounds__(kRowSumThreads)
    row_sum_kernel(const T* x,                            // [rows, length]
                   float* y,                              // [rows]
                   std::int64_t length, unsigned chunks,  // gridDim.x is rows * chunks
                   Term term, Finish finish,
                   double* partials,     // [rows, chunks]
                   unsigned* tickets) {  // [rows]
  const unsigned row = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
  const T* from = x + std::int64_t{row} * length;
  const std::int64_t vectors = length / Width, stride = std::int64_t{chunks} * kRowSumThreads;
  const std::int64_t thread = std::int64_t{chunk} * kRowSumThreads + threadIdx.x;
  double sum = 0;
  std::int64_t v = thread;
  constexpr int kInFlight = 4;
#pragma unroll 1  // here and below: unrolled, they would begin with a division in 64 bits
  for (; v + (kInFlight - 1) * stride < vectors; v += kInFlight * stride) {
    Vector<T, Width> loaded[kInFlight];
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      loaded[i] = load_vector<T, Width>(from + (v + i * stride) * Width);
    }
#pragma unroll
    for (int i = 0; i < kInFlight; ++i) {
      sum += term(loaded[i]);
    }
  }
#pragma unroll 1
  for (; v < vectors; v += stride) {
    sum += term(load_vector<T, Width>(from + v * Width));
  }
  if (const std::int64_t i = vectors * Width + thread; i < length) {  // fewer than Width elements
    sum += term(load_vector<T, 1>(from + i));
  }
  sum = block_sum<kRowSumThreads>(sum);
  double* row_partials = partials + std::int64_t{row} * chunks;
  if (threadIdx.x == 0) {
    if (chunks == 1) {
      y[row] = finish(sum);
    } else {
      row_partials[chunk] = sum;
    }
  }
  if (chunks == 1 || !is_last_block(tickets + row, chunks)) {
    return;  // the whole block
  }
  double total = 0;
  for (unsigned i = threadIdx.x; i < chunks; i += kRowSumThreads) {
    total += row_partials[i];
  }
  total = block_sum<kRowSumThreads>(total);
  if (threadIdx.x == 0) {
    y[row] = finish(total);
  }
}

// Term: from a Vector<T, Width> (any Width) to a double. Finish: from the sum, a double, to a float.
template <class T, class Term, class Finish>
void sum_rows(CudaContext& context, const char* op, const T* x, std::int64_t rows, std::int64_t length, Term term,
              Finish finish, float* y) {
  if (rows > 1 && length <= kRowSumShort) {
    launch(context, op, {blocks_for(rows, kRowSumThreads / 32, 1, rows), kRowSumThreads},
           short_row_sum_kernel<T, Term, Finish>, x, y, rows, length, term, finish);
    return;
  }
  const std::int64_t chunks = std::clamp<std::int64_t>((length + kRowSumLeast - 1) / kRowSumLeast, 1,
                                                       std::max<std::int64_t>(1, kRowSumBlocks / rows));
  static_assert(kRowSumBlocks <= CudaContext::kTickets);
  static_assert(sizeof(double) * kRowSumBlocks <= CudaContext::kPartialBytes);
  const Launch shape{static_cast<unsigned>(rows * chunks), kRowSumThreads};
  auto* partials = static_cast<double*>(context.partials());
  constexpr int kVector = kPerVector<T>;
  if (all_aligned(x) && (rows == 1 || length % kVector == 0)) {
    launch(context, op, shape, row_sum_kernel<kVector, T, Term, Finish>, x, y, length, chunks, term, finish, partials,
           context.tickets());
  } else {
    launch(context, op, shape, row_sum_kernel<1, T, Term, Finish>, x, y, length, chunks, term, finish, partials,
           context.tickets());
  }
}

}  // namespace duel

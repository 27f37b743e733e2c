// Pictures moved and mirrored (contract: kernels/shift_flip.h).
//
// Blocks share out one picture each (large pictures: several blocks a picture). The block's first thread draws the
// picture's move, with the definition of shift_flip.h; then each thread finds, for one element of the result at a time,
// where it comes from. Neighbouring threads read neighbouring elements, in a mirrored picture neighbouring pixels.
// Bytes moved: each element read at most once and written once.
#include "kernels/shift_flip.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kShiftFlipThreads = 256;

// ---- device helpers

// Where a pixel of y comes from, or nowhere: then `row` is negative.
struct PixelPlace {
  int row, column;
};

__device__ __forceinline__ int held(int place, int count) {
  return place < 0 ? 0 : place < count ? place : count - 1;
}

// Of x.
struct MovedFrom {
  int height, width;
  bool has_border;
  __device__ PixelPlace operator()(const PictureMove& move, int h, int w) const {
    int row = h - move.down, column = w - move.right;
    if (has_border) {
      row = held(row, height);
      column = held(column, width);
    }
    const bool is_there = row >= 0 && row < height && column >= 0 && column < width;
    return {is_there ? row : -1, move.is_flipped ? width - 1 - column : column};
  }
};

// Of dy, for a pixel of dx.
struct MovedTo {
  int height, width;
  __device__ PixelPlace operator()(const PictureMove& move, int h, int w) const {
    const int row = h + move.down, column = (move.is_flipped ? width - 1 - w : w) + move.right;
    const bool is_there = row >= 0 && row < height && column >= 0 && column < width;
    return {is_there ? row : -1, column};
  }
};

// ---- kernels

template <class T, class Place>
__global__ void __launch_bounds__(kShiftFlipThreads)
    shift_flip_kernel(ShiftFlip p, Place place_of, float value,
                      const T* from,             // [N,H,W,C]
                      const std::int64_t* step,  // [1]
                      T* to,                     // [N,H,W,C]
                      int width, int channels, std::int64_t length,
                      std::uint32_t chunks) {  // length is H*W*C, gridDim.x is N * chunks
  DUEL_SHARED(move, PictureMove);
  const std::uint32_t picture = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
  if (threadIdx.x == 0) {
    move = picture_move(p, static_cast<std::uint64_t>(step[0]), picture);
  }
  __syncthreads();  // every thread reads it
  const T* const its = from + std::int64_t{picture} * length;
  T* const out = to + std::int64_t{picture} * length;
  const std::int64_t stride = std::int64_t{chunks} * kShiftFlipThreads, row = std::int64_t{width} * channels;
  for (std::int64_t e = std::int64_t{chunk} * kShiftFlipThreads + threadIdx.x; e < length; e += stride) {
    const int h = static_cast<int>(e / row), in_row = static_cast<int>(e % row);
    const PixelPlace place = place_of(move, h, in_row / channels);
    out[e] = place.row < 0 ? from_float<T>(value)
                           : its[place.row * row + std::int64_t{place.column} * channels + in_row % channels];
  }
}

// ---- launchers

namespace {

template <class Place>
void move_pictures(CudaContext& context, const char* op, const ShiftFlip& p, const Place& place_of, float value,
                   View from, View step, View to) {
  const auto pictures = static_cast<std::uint32_t>(from.shape[0]);
  const std::int64_t length = from.shape.row_count();
  // At least two turns of a block each, and a grid of at most 2^31 - 1 blocks.
  const std::int64_t most = std::clamp<std::int64_t>(INT32_MAX / std::int64_t{pictures}, 1, 64);
  const unsigned chunks = blocks_for(length, kShiftFlipThreads, 2, most);
  with_float_type(from.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, op, {pictures * chunks, kShiftFlipThreads}, shift_flip_kernel<T, Place>, p, place_of, value,
           from.as<const T>(), step.as<const std::int64_t>(), to.as<T>(), from.shape[2], from.shape[3], length, chunks);
  });
}

}  // namespace

void shift_flip(CudaContext& context, const ShiftFlip& p, View x, View step, View y) {
  const MovedFrom place_of{x.shape[1], x.shape[2], p.edge == PictureEdge::border};
  move_pictures(context, "shift_flip", p, place_of, p.value, x, step, y);
}

void shift_flip_backward(CudaContext& context, const ShiftFlip& p, View dy, View step, View dx) {
  move_pictures(context, "shift_flip_backward", p, MovedTo{dy.shape[1], dy.shape[2]}, 0.0F, dy, step, dx);
}

}  // namespace duel

// How blocks share out the pixels of a convolution's output, for pictures of few channels: tiles of some rows and
// columns of one picture, and what of x they meet, in shared memory as f32 with the padding's zeros around it.
#pragma once

#include "kernels/cuda/conv2d_shape.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kPictureThreads = 256;
inline constexpr int kPicturePatch = 8192;  // the most floats of x that a tile may meet

struct PictureTile {
  ConvShape s;
  int rows, columns;          // pixels of a tile; columns is a multiple of 4
  int tiles_p, tiles_q;       // of a picture
  int patch_rows, patch_row;  // of x: rows, and floats of one
  Divider by_picture, by_tiles_q, by_columns, by_patch_row;

  explicit PictureTile(const ConvShape& shape) : s(shape) {
    columns = even_share(s.Q, 32, 4);
    rows = even_share(s.P, std::max(1, 224 / columns), 1);
    while (rows > 1 && patch_floats() > kPicturePatch) {
      rows = (rows + 1) / 2;
    }
    while (columns > 4 && patch_floats() > kPicturePatch) {
      columns = (columns / 2 + 3) / 4 * 4;
    }
    tiles_p = (s.P + rows - 1) / rows;
    tiles_q = (s.Q + columns - 1) / columns;
    patch_rows = (rows - 1) * s.stride + s.R;
    patch_row = static_cast<int>(std::min<std::int64_t>(patch_floats(), kPicturePatch + 1)) / patch_rows;
    by_picture = Divider(tiles_p * tiles_q);
    by_tiles_q = Divider(tiles_q);
    by_columns = Divider(columns);
    by_patch_row = Divider(std::max(1, patch_row));
  }
  bool fits() const { return patch_floats() <= kPicturePatch; }
  std::int64_t patch_floats() const {
    return ((rows - std::int64_t{1}) * s.stride + s.R) * ((columns - std::int64_t{1}) * s.stride + s.S) * s.C;
  }
  std::int64_t tiles() const { return std::int64_t{s.N} * tiles_p * tiles_q; }

  struct Corner {
    int n, p, q;  // of the tile's first pixel
  };
  __device__ __forceinline__ Corner corner(int tile) const {
    const int n = by_picture.quotient(tile), rest = by_picture.remainder(tile, n), i = by_tiles_q.quotient(rest);
    return {n, i * rows, by_tiles_q.remainder(rest, i) * columns};
  }

  // All threads of the block, each some floats.
  template <class T>
  __device__ __forceinline__ void read_patch(const Corner& corner, const T* x, float* patch) const {
    const int first_h = corner.p * s.stride - s.pad_top, line = s.W * s.C;
    const int first_w = (corner.q * s.stride - s.pad_left) * s.C;  // of a line, whose channels follow one another
    const T* const picture = x + std::int64_t{corner.n} * s.H * line;
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x); i < patch_rows * patch_row; i += kPictureThreads) {
      const int row = by_patch_row.quotient(i), h = first_h + row, w = first_w + by_patch_row.remainder(i, row);
      const bool inside = h >= 0 && h < s.H && w >= 0 && w < line;
      patch[i] = inside ? to_float(picture[std::int64_t{h} * line + w]) : 0.0F;
    }
  }

private:
  // The extent cut evenly into parts of at most `most`, in multiples of `unit`.
  static int even_share(int extent, int most, int unit) {
    const int parts = (extent + most - 1) / most, share = (extent + parts - 1) / parts;
    return (share + unit - 1) / unit * unit;
  }
};

// How a block's threads share out a tile: neighbours take neighbouring output channels, `Width` each, and what is left
// of the block takes other pixels.
struct ChannelGroups {
  int shift;   // 2^shift threads take the channels of one pixel
  int chunks;  // of so many channels: gridDim.y

  static constexpr int kMostShift = 4;
  ChannelGroups(int channels, int width) : shift(0) {
    while (shift < kMostShift && (width << shift) < channels) {
      ++shift;
    }
    chunks = (channels + (width << shift) - 1) / (width << shift);
  }
  __device__ __forceinline__ int lane() const { return static_cast<int>(threadIdx.x) & ((1 << shift) - 1); }
  __device__ __forceinline__ int group() const { return static_cast<int>(threadIdx.x) >> shift; }
  __device__ __forceinline__ int groups() const { return kPictureThreads >> shift; }
};

}  // namespace duel

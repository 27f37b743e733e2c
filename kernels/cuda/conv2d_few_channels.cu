// Convolutions of pictures of few channels, forward and back to the picture (contract: kernels/conv2d.h).
//
//   forward          A block takes a tile of pixels: the part of x that they meet and all filters of 64 output channels
//                    lie in shared memory; a thread makes 4 pixels x 4 channels, tap by tap.
//   backward_input   A block takes a tile of x's pixels, of one class (conv2d_shape.h): the part of dy that reaches
//   them
//                    and the filters lie in shared memory, 32 channels of dy at a time; a thread makes one pixel.
//
// Sums are f32 for every type. Moved: every array once, but for the edges of tiles; filters once a block.
#include "kernels/cuda/conv2d_few_channels.h"

#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/picture_tile.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kPixels = 4;          // of a thread, neighbours in a row: forward
constexpr int kMostTaps = 256;      // R*S*C
constexpr int kGradientChunk = 32;  // channels of dy at a time: backward_input
constexpr std::size_t kMostShared = std::size_t{96} << 10;

// The tile of a class's pixels that a block makes, and what of dy it meets.
struct GradientTile {
  ConvShape s;
  int rows, columns;              // pixels of the class: at most kPictureThreads, a thread each
  int tiles_h, tiles_w;           // of a picture
  int patch_rows, patch_columns;  // of dy
  Divider by_picture, by_tiles_w, by_columns, by_patch_columns;

  explicit GradientTile(const ConvShape& shape) : s(shape) {
    const int most_rows = (s.H + s.stride - 1) / s.stride, most_columns = (s.W + s.stride - 1) / s.stride;
    tiles_w = (most_columns + 31) / 32;
    columns = (most_columns + tiles_w - 1) / tiles_w;
    tiles_h = (most_rows + kPictureThreads / columns - 1) / (kPictureThreads / columns);
    rows = (most_rows + tiles_h - 1) / tiles_h;
    patch_rows = rows + (s.R + s.stride - 1) / s.stride - 1;
    patch_columns = columns + (s.S + s.stride - 1) / s.stride - 1;
    by_picture = Divider(tiles_h * tiles_w);
    by_tiles_w = Divider(tiles_w);
    by_columns = Divider(columns);
    by_patch_columns = Divider(patch_columns);
  }
  template <class T>
  static constexpr int row() {  // elements of a pixel in shared memory: padded, so that neighbours meet no bank twice
    return kGradientChunk + kPerVector<T>;
  }
  template <class T>
  std::size_t patch_bytes() const {
    return sizeof(T) * static_cast<std::size_t>(row<T>()) * static_cast<std::size_t>(patch_rows) *
           static_cast<std::size_t>(patch_columns);
  }
  std::size_t filter_bytes() const {
    const int taps = ((s.R + s.stride - 1) / s.stride) * ((s.S + s.stride - 1) / s.stride);
    return sizeof(float) * kGradientChunk * static_cast<std::size_t>(taps * s.C);
  }
};

}  // namespace

// ---- kernels

template <int Width, class T>
__global__ void __launch_bounds__(kPictureThreads, 3)
    few_channels_forward_kernel(const PictureTile tile, const ChannelGroups groups, const Divider by_quads,
                                const Divider by_taps,
                                const T* x,         // [N,H,W,C]
                                const T* w,         // [K,R,S,C]
                                const float* bias,  // [K] or null
                                const Epilogue<PlainRows> epilogue) {
  const ConvShape& s = tile.s;
  const int taps = s.R * s.S * s.C, channels = Width << groups.shift;
  const int first_k = static_cast<int>(blockIdx.y) * channels, k = first_k + groups.lane() * Width;
  DUEL_DYNAMIC_SHARED(float, filters);  // [taps][channels], and behind them the tile's part of x
  float* const patch = filters + taps * channels;
  const typename PictureTile::Corner corner = tile.corner(static_cast<int>(blockIdx.x));
  tile.read_patch(corner, x, patch);
  for (int i = static_cast<int>(threadIdx.x); i < taps * channels; i += kPictureThreads) {
    const int channel = by_taps.quotient(i), tap = by_taps.remainder(i, channel);
    filters[tap * channels + channel] =
        first_k + channel < s.K ? to_float(w[std::int64_t{first_k + channel} * taps + tap]) : 0.0F;
  }
  __syncthreads();  // every thread reads what others brought

  float start[Width] = {};
#pragma unroll
  for (int i = 0; i < Width; ++i) {
    start[i] = bias != nullptr && k < s.K ? bias[k + i] : 0.0F;
  }
  const int quads = tile.columns / kPixels, step = s.stride * s.C;
  for (int quad = groups.group(); quad < tile.rows * quads; quad += groups.groups()) {
    const int row = by_quads.quotient(quad), column = by_quads.remainder(quad, row) * kPixels;
    float sums[kPixels][Width];
#pragma unroll
    for (int pixel = 0; pixel < kPixels; ++pixel) {
#pragma unroll
      for (int i = 0; i < Width; ++i) {
        sums[pixel][i] = start[i];
      }
    }
    const float* line = patch + row * s.stride * tile.patch_row + column * step;
    const float* filter = filters + groups.lane() * Width;
    for (int r = 0; r < s.R; ++r, line += tile.patch_row) {
#pragma unroll 3
      for (int i = 0; i < s.S * s.C; ++i, filter += channels) {
        const auto weights = load_vector<float, Width>(filter);
#pragma unroll
        for (int pixel = 0; pixel < kPixels; ++pixel) {
          const float value = line[i + pixel * step];
#pragma unroll
          for (int j = 0; j < Width; ++j) {
            sums[pixel][j] = fmaf(value, weights.values[j], sums[pixel][j]);
          }
        }
      }
    }
#pragma unroll
    for (int pixel = 0; pixel < kPixels; ++pixel) {
      const int p = corner.p + row, q = corner.q + column + pixel;
      if (p < s.P && q < s.Q) {
        epilogue.store_vector<Width>((corner.n * s.P + p) * s.Q + q, k, sums[pixel]);
      }
    }
  }
}

template <int C, class T>
__global__ void __launch_bounds__(kPictureThreads, 2)
    few_channels_backward_input_kernel(const GradientTile tile, const bool vectorised,
                                       const T* dy,  // [N,P,Q,K]
                                       const T* w,   // [K,R,S,C]
                                       const Epilogue<PlainRows> epilogue) {
  constexpr int kRow = GradientTile::row<T>(), kVectors = kGradientChunk / kPerVector<T>;
  const ConvShape& s = tile.s;
  const int thread = static_cast<int>(threadIdx.x);
  const int h_remainder = static_cast<int>(blockIdx.y) / s.stride,
            w_remainder = static_cast<int>(blockIdx.y) % s.stride;
  const GradientClass pixels(s, h_remainder, w_remainder);
  const int n = tile.by_picture.quotient(static_cast<int>(blockIdx.x)),
            rest = tile.by_picture.remainder(static_cast<int>(blockIdx.x), n), tile_h = tile.by_tiles_w.quotient(rest);
  const int first_i = tile_h * tile.rows, first_j = tile.by_tiles_w.remainder(rest, tile_h) * tile.columns;
  const int first_p = (pixels.first_h + s.pad_top - pixels.first_r) / s.stride + first_i - (pixels.taps_r - 1),
            first_q = (pixels.first_w + s.pad_left - pixels.first_s) / s.stride + first_j - (pixels.taps_s - 1);
  const int i = tile.by_columns.quotient(thread), j = tile.by_columns.remainder(thread, i);
  const int taps = pixels.taps_r * pixels.taps_s;
  DUEL_DYNAMIC_SHARED(
      T, patch);  // [patch_rows][patch_columns][kRow], and behind it the filters, [taps][C][kGradientChunk]
  auto* const filters = reinterpret_cast<float*>(patch + tile.patch_rows * tile.patch_columns * kRow);

  float sums[C][4] = {};
  for (int first_k = 0; first_k < s.K; first_k += kGradientChunk) {
    __syncthreads();  // the chunk before has been read
    for (int v = thread; v < tile.patch_rows * tile.patch_columns * kVectors; v += kPictureThreads) {
      const int pixel = v / kVectors, k = first_k + v % kVectors * kPerVector<T>;
      const int row = tile.by_patch_columns.quotient(pixel), p = first_p + row,
                q = first_q + tile.by_patch_columns.remainder(pixel, row);
      const bool inside = p >= 0 && p < s.P && q >= 0 && q < s.Q;
      const T* const from = dy + ((std::int64_t{n} * s.P + p) * s.Q + q) * s.K + k;
      Vector<T> vector;
      if (inside && vectorised && k < s.K) {
        vector = load_vector(from);
      } else {
#pragma unroll
        for (int e = 0; e < kPerVector<T>; ++e) {
          vector.values[e] = inside && k + e < s.K ? from[e] : from_float<T>(0.0F);
        }
      }
      store_vector(patch + pixel * kRow + v % kVectors * kPerVector<T>, vector);
    }
    for (int v = thread; v < taps * C * kGradientChunk; v += kPictureThreads) {
      const int k = v / (taps * C), tap_c = v % (taps * C), tap = tap_c / C;
      const int r = pixels.first_r + s.stride * (tap / pixels.taps_s),
                column = pixels.first_s + s.stride * (tap % pixels.taps_s);
      filters[tap_c * kGradientChunk + k] =
          first_k + k < s.K ? to_float(w[((std::int64_t{first_k + k} * s.R + r) * s.S + column) * C + tap_c % C])
                            : 0.0F;
    }
    __syncthreads();  // every thread reads what others brought
    if (i >= tile.rows) {
      continue;
    }
    for (int a = 0; a < pixels.taps_r; ++a) {
      for (int b = 0; b < pixels.taps_s; ++b) {
        const int row = i + pixels.taps_r - 1 - a, column = j + pixels.taps_s - 1 - b;
        const T* const from = patch + (row * tile.patch_columns + column) * kRow;
        const float* const filter = filters + (a * pixels.taps_s + b) * C * kGradientChunk;
#pragma unroll
        for (int v = 0; v < kVectors; ++v) {
          const Vector<T> vector = load_vector(from + v * kPerVector<T>);
#pragma unroll
          for (int e = 0; e < kPerVector<T>; e += 4) {
#pragma unroll
            for (int c = 0; c < C; ++c) {
              const auto weights = load_vector<float, 4>(filter + c * kGradientChunk + v * kPerVector<T> + e);
#pragma unroll
              for (int lane = 0; lane < 4; ++lane) {
                sums[c][lane] = fmaf(to_float(vector.values[e + lane]), weights.values[lane], sums[c][lane]);
              }
            }
          }
        }
      }
    }
  }
  if (i < tile.rows && first_i + i < pixels.rows && first_j + j < pixels.columns) {
    const int h = pixels.first_h + s.stride * (first_i + i), column = pixels.first_w + s.stride * (first_j + j);
#pragma unroll
    for (int c = 0; c < C; ++c) {
      epilogue.store((n * s.H + h) * s.W + column, c, (sums[c][0] + sums[c][1]) + (sums[c][2] + sums[c][3]));
    }
  }
}

// ---- launchers

bool few_channels_fit(const ConvShape& s) {
  if (s.C > kFewChannels || std::int64_t{s.R} * s.S * s.C > kMostTaps || s.stride > 16) {
    return false;
  }
  const GradientTile gradient(s);
  return PictureTile(s).fits() && gradient.patch_bytes<float>() + gradient.filter_bytes() <= kMostShared;
}

void conv2d_forward_few_channels(CudaContext& context, const ConvShape& s, const Activation& activation, View x, View w,
                                 View bias, View y) {
  const PictureTile tile(s);
  const Epilogue<PlainRows> epilogue({}, y, View{}, activation, s.N * s.P * s.Q, s.K);
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const auto run = [&](auto width) {
      constexpr int kWidth = decltype(width)::value;
      const ChannelGroups groups(s.K, kWidth);
      const int taps = s.R * s.S * s.C;
      const std::size_t floats = static_cast<std::size_t>(taps) * (kWidth << groups.shift) +
                                 static_cast<std::size_t>(tile.patch_rows) * tile.patch_row;
      launch(context, "conv2d_forward",
             {{static_cast<unsigned>(tile.tiles()), static_cast<unsigned>(groups.chunks)},
              kPictureThreads,
              floats * sizeof(float)},
             few_channels_forward_kernel<kWidth, T>, tile, groups, Divider(tile.columns / kPixels), Divider(taps),
             x.as<const T>(), w.as<const T>(), bias.as<const float>(), epilogue);
    };
    s.K % 4 == 0 && all_aligned(y.data) ? run(std::integral_constant<int, 4>{}) : run(std::integral_constant<int, 1>{});
  });
}

void conv2d_backward_input_few_channels(CudaContext& context, const ConvShape& s, View dy, View w, View dx) {
  const GradientTile tile(s);
  const Epilogue<PlainRows> epilogue({}, dx, View{}, Activation{}, s.N * s.H * s.W, s.C);
  const unsigned tiles = static_cast<unsigned>(s.N) * static_cast<unsigned>(tile.tiles_h * tile.tiles_w),
                 classes = static_cast<unsigned>(s.stride * s.stride);
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    const bool vectorised = all_aligned(dy.data) && s.K % kPerVector<T> == 0;
    const auto run = [&](auto kernel) {
      launch(context, "conv2d_backward_input",
             {{tiles, classes}, kPictureThreads, tile.patch_bytes<T>() + tile.filter_bytes()}, kernel, tile, vectorised,
             dy.as<const T>(), w.as<const T>(), epilogue);
    };
    static_assert(kFewChannels == 4);
    switch (s.C) {
      case 1: run(few_channels_backward_input_kernel<1, T>); break;
      case 2: run(few_channels_backward_input_kernel<2, T>); break;
      case 3: run(few_channels_backward_input_kernel<3, T>); break;
      default: run(few_channels_backward_input_kernel<4, T>); break;
    }
  });
}

}  // namespace duel

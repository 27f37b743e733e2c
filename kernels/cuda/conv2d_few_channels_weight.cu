// The gradients of a layer's own arrays for pictures of few channels, in one pass over dy and y (contracts:
// kernels/conv2d_bias_act.h, kernels/conv2d.h).
//
// A block takes some tiles of pixels (picture_tile.cuh), one after the other: what of x they meet lies in shared
// memory. A thread takes 4 output channels of every so many-th pixel: it makes dz, and adds dz times x of some taps to
// sums in its registers: all nine of a 3x3 filter of one channel, else up to 12 of a filter's row. Then a warp's sums
// are added by shuffles, the warps' in shared memory, and the blocks' by sum_parts (split.cuh), each in a fixed order.
//
// Moved: dy and y once for each block of taps, dz once, x once but for the edges of tiles.
#include "kernels/cuda/conv2d_few_channels.h"

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/picture_tile.cuh"
#include "kernels/cuda/split.cuh"

namespace duel {

// ---- device helpers

namespace {

// Where the finished sums go: those of the weights, and behind them those of the bias.
struct LayerStore {
  float* dw;    // [weights]
  float* db;    // [K], or null
  int weights;  // K*R*S*C
  __device__ __forceinline__ void operator()(int element, float sum) const {
    if (element < weights) {
      dw[element] = sum;
    } else {
      db[element - weights] = sum;
    }
  }
};

// dz of a layer: made from dy and y, and written, where there is a y; else dy itself.
template <class T>
struct LayerGradient {
  Activation activation;
  const T* dy;  // [N,P,Q,K]
  const T* y;   // [N,P,Q,K], or null
  T* dz;        // [N,P,Q,K], where there is a y

  template <int Width>
  struct Loaded {
    Vector<T, Width> dy, y;
  };
  template <int Width>
  __device__ __forceinline__ Loaded<Width> load(std::int64_t offset) const {
    Loaded<Width> loaded;
    loaded.dy = load_vector<T, Width>(dy + offset);
    loaded.y = y != nullptr ? load_vector<T, Width>(y + offset) : loaded.dy;
    return loaded;
  }
  template <int Width>
  __device__ __forceinline__ Vector<T, Width> finish(const Loaded<Width>& loaded) const {
    if (y == nullptr) {
      return loaded.dy;
    }
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = from_float<T>(activated_backward(activation.kind, activation.slope,
                                                          to_float(loaded.dy.values[i]), to_float(loaded.y.values[i])));
    }
    return result;
  }
};

}  // namespace

// ---- kernels

template <int TapRows, int TapColumns, int Width, class T>
__global__ void __launch_bounds__(kPictureThreads, 2)
    few_channels_weight_kernel(const PictureTile tile, const ChannelGroups groups, const int tiles,
                               const int tiles_per_part, const LayerGradient<T> gradient,
                               const T* x,  // [N,H,W,C]
                               const Split split, const int elements, const LayerStore store) {
  constexpr int kTaps = TapRows * TapColumns, kInFlight = 4, kWarps = kPictureThreads / 32;
  const ConvShape& s = tile.s;
  const int channels = Width << groups.shift, line_taps = s.S * s.C;
  const int first_k = static_cast<int>(blockIdx.y) * channels, k = first_k + groups.lane() * Width;
  const int columns = (line_taps + TapColumns - 1) / TapColumns;
  const int first_r = static_cast<int>(blockIdx.z) / columns * TapRows,
            first_i = static_cast<int>(blockIdx.z) % columns * TapColumns;
  const bool is_first = blockIdx.z == 0;  // of the blocks that make the same dz
  DUEL_DYNAMIC_SHARED(float, patch);  // the tile's part of x and TapColumns more; at last [kWarps][kTaps + 1][channels]

  float sums[kTaps + 1][Width] = {};  // the last: of the bias
  const int first_tile = static_cast<int>(blockIdx.x) * tiles_per_part;
  const int end_tile = min(tiles, first_tile + tiles_per_part);
  for (int t = first_tile; t < end_tile; ++t) {
    const typename PictureTile::Corner corner = tile.corner(t);
    __syncthreads();  // the tile before has been read
    tile.read_patch(corner, x, patch);
    __syncthreads();  // every thread reads what others brought
    for (int first = groups.group(); first < tile.rows * tile.columns; first += kInFlight * groups.groups()) {
      typename LayerGradient<T>::template Loaded<Width> loaded[kInFlight];
      std::int64_t offsets[kInFlight];  // in dy, or -1
      int places[kInFlight];            // in the patch
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        const int pixel = first + i * groups.groups(), row = tile.by_columns.quotient(pixel),
                  column = tile.by_columns.remainder(pixel, row), p = corner.p + row, q = corner.q + column;
        const bool inside = row < tile.rows && p < s.P && q < s.Q && k < s.K;
        offsets[i] = inside ? ((std::int64_t{corner.n} * s.P + p) * s.Q + q) * s.K + k : -1;
        places[i] = (row * s.stride + first_r) * tile.patch_row + column * s.stride * s.C + first_i;
        if (inside) {
          loaded[i] = gradient.template load<Width>(offsets[i]);
        }
      }
#pragma unroll
      for (int i = 0; i < kInFlight; ++i) {
        if (offsets[i] < 0) {
          continue;
        }
        const Vector<T, Width> dz = gradient.template finish<Width>(loaded[i]);
        if (is_first && gradient.y != nullptr) {
          store_vector(gradient.dz + offsets[i], dz);
        }
        float values[Width];
#pragma unroll
        for (int j = 0; j < Width; ++j) {
          values[j] = to_float(dz.values[j]);
          sums[kTaps][j] += values[j];
        }
#pragma unroll
        for (int r = 0; r < TapRows; ++r) {
          const float* const line = patch + places[i] + r * tile.patch_row;
#pragma unroll
          for (int c = 0; c < TapColumns; ++c) {
            const float value = line[c];  // beyond the filter's row: a tap that nobody stores
#pragma unroll
            for (int j = 0; j < Width; ++j) {
              sums[r * TapColumns + c][j] = fmaf(value, values[j], sums[r * TapColumns + c][j]);
            }
          }
        }
      }
    }
  }

  __syncthreads();  // the last tile has been read: its place is taken by the warps' sums
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int tap = 0; tap <= kTaps; ++tap) {
#pragma unroll
    for (int j = 0; j < Width; ++j) {
      float sum = sums[tap][j];
      for (int distance = 1 << groups.shift; distance < 32; distance *= 2) {
        sum += __shfl_xor_sync(kFullWarp, sum, distance);
      }
      if (lane < 1 << groups.shift) {
        patch[(warp * (kTaps + 1) + tap) * channels + lane * Width + j] = sum;
      }
    }
  }
  // The place of a block's sum in the layer's arrays, or -1 where it has none.
  const auto element_of = [&](int e) {
    const int tap = e / channels, channel = first_k + e % channels;
    const int r = first_r + tap / TapColumns, i = first_i + tap % TapColumns;
    if (channel < s.K && tap == kTaps && is_first && store.db != nullptr) {
      return store.weights + channel;
    }
    return channel < s.K && tap < kTaps && r < s.R && i < line_taps ? (channel * s.R + r) * line_taps + i : -1;
  };
  __syncthreads();  // an element is added up from the sums of all warps
  for (int e = static_cast<int>(threadIdx.x); e < (kTaps + 1) * channels; e += kPictureThreads) {
    float sum = patch[e];
    for (int other = 1; other < kWarps; ++other) {
      sum += patch[other * (kTaps + 1) * channels + e];
    }
    const int element = element_of(e);
    if (split.cluster > 1) {
      patch[e] = sum;  // of the first warp's sums nobody else reads this one
    } else if (element >= 0 && split.parts == 1) {
      store(element, sum);
    } else if (element >= 0) {
      split.partials[std::int64_t{blockIdx.x} * elements + element] = sum;
    }
  }
  if (split.cluster > 1) {
    add_in_clusters<1, kPictureThreads>(
        split, patch, (kTaps + 1) * channels, static_cast<int>(blockIdx.x),
        static_cast<int>(blockIdx.z * gridDim.y + blockIdx.y), static_cast<int>(gridDim.y * gridDim.z),
        [](int e) { return e; },
        [&](int e, const float(&sum)[1]) {
          if (const int element = element_of(e); element >= 0) {
            store(element, sum[0]);
          }
        });
  }
}

// ---- launchers

void conv2d_backward_weight_few_channels(CudaContext& context, const char* op, const ConvShape& s,
                                         const Activation& activation, View x, View dy, View y, View dz, View dw,
                                         View db) {
  const PictureTile tile(s);
  const int weights = s.K * s.R * s.S * s.C, elements = weights + (db.shape.rank() > 0 ? s.K : 0);
  const LayerStore store{dw.as<float>(), db.as<float>(), weights};
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const LayerGradient<T> gradient{activation, dy.as<const T>(), y.as<const T>(), dz.as<T>()};
    const auto run = [&](auto tap_rows, auto tap_columns, auto width) {
      constexpr int kRows = decltype(tap_rows)::value, kColumns = decltype(tap_columns)::value,
                    kWidth = decltype(width)::value;
      const ChannelGroups groups(s.K, kWidth);
      const int blocks_of_taps = (s.R + kRows - 1) / kRows * ((s.S * s.C + kColumns - 1) / kColumns);
      // Blocks that fill the GPU twice, as far as there are tiles and memory for the partial sums.
      std::int64_t parts =
          std::max<std::int64_t>(1, 2 * context.multiprocessors() / (std::int64_t{groups.chunks} * blocks_of_taps));
      parts = std::min(parts, tile.tiles());
      parts = std::clamp<std::int64_t>(CudaContext::kPartialBytes / sizeof(float) / elements, 1, parts);
      const Split split = share(context, tile.tiles(), parts);
      const int channels = kWidth << groups.shift;
      const int floats = std::max(tile.patch_rows * tile.patch_row + kColumns,
                                  kPictureThreads / 32 * (kRows * kColumns + 1) * channels);
      Launch shape{{static_cast<unsigned>(split.parts), static_cast<unsigned>(groups.chunks),
                    static_cast<unsigned>(blocks_of_taps)},
                   kPictureThreads,
                   sizeof(float) * static_cast<std::size_t>(floats)};
      shape.cluster.x = static_cast<unsigned>(split.cluster);
      launch(context, op, shape, few_channels_weight_kernel<kRows, kColumns, kWidth, T>, tile, groups,
             static_cast<int>(tile.tiles()), split.k_per_part, gradient, x.as<const T>(), split, elements, store);
      if (split.parts > 1 && split.cluster == 1) {
        sum_parts(context, op, split.partials, split.parts, elements, store);
      }
    };
    const bool vectorised = s.K % 4 == 0 && all_aligned(dy.data, y.data, dz.data);
    const auto with_width = [&](auto tap_rows, auto tap_columns) {
      vectorised ? run(tap_rows, tap_columns, std::integral_constant<int, 4>{})
                 : run(tap_rows, tap_columns, std::integral_constant<int, 1>{});
    };
    s.R == 3 && s.S* s.C == 3 ? with_width(std::integral_constant<int, 3>{}, std::integral_constant<int, 3>{})
                              : with_width(std::integral_constant<int, 1>{}, std::integral_constant<int, 12>{});
  });
}

}  // namespace duel

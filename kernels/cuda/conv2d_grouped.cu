// Convolutions in groups of channels (contract: kernels/conv2d.h), in f32 arithmetic, made for groups of 16 channels
// and for groups of one (depthwise).
//
// Forward and input gradient are one kernel: an element of the result is a sum over taps and over the group's channels
// on the other side. A block takes 64 pixels and 16 channels of one group; for each tap and 16 channels it brings the
// pixels under the tap and the filters' elements into shared memory, and a thread adds to 4 pixels of one channel.
// The weight gradient's block takes one tap of 16 filters and 16 channels of one group, and some of the pixels: 32 at a
// time lie in shared memory, and a thread adds to one element; sum_parts (split.cuh) adds the blocks' sums.
// Depthwise there is nothing to share: a thread takes a channel, neighbours neighbouring ones.
//
// Moved, as far as the caches do not help: the input once for each tap, the result once.
//
// spills: for sm_80 ptxas holds the input gradient in bf16 to 48 registers, with which five blocks fit on a
// multiprocessor, and puts aside two words a thread.
#include "kernels/cuda/conv2d_grouped.h"

#include "kernels/cuda/activation.cuh"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"
#include "kernels/cuda/split.cuh"

#include <algorithm>

namespace duel {

namespace {

constexpr int kGroupedThreads = 256;
constexpr int kGroupedChannels = 16;                               // of a block
constexpr int kGroupedLanes = kGroupedThreads / kGroupedChannels;  // threads of one channel
constexpr int kGroupedPerThread = 4;                               // pixels
constexpr int kGroupedPixels = kGroupedLanes * kGroupedPerThread;  // of a block
constexpr int kGroupedStep = 32;                                   // pixels of a weight gradient's step
constexpr int kDepthwiseChannels = 32;                             // of a weight gradient's block
constexpr int kDepthwiseLanes = kGroupedThreads / kDepthwiseChannels;

}  // namespace

// ---- device helpers

// Of the pictures [N,rows,columns] that are made, and those that they are made of.
template <bool Forward>
struct GroupedPlaces {
  ConvShape s;
  int rows, columns;  // of the result: P, Q or H, W
  Divider by_columns, by_rows, by_stride;

  explicit GroupedPlaces(const ConvShape& shape)
      : s(shape),
        rows(Forward ? shape.P : shape.H),
        columns(Forward ? shape.Q : shape.W),
        by_columns(columns),
        by_rows(rows),
        by_stride(shape.stride) {}

  struct Pixel {
    int n, row, column;
  };
  __device__ __forceinline__ Pixel pixel(int index) const {
    const int line = by_columns.quotient(index), n = by_rows.quotient(line);
    return {n, by_rows.remainder(line, n), by_columns.remainder(index, line)};
  }
  // The pixel that tap (r, s) meets, in the array that is read; or -1.
  __device__ __forceinline__ std::int64_t met(const Pixel& to, int r, int tap_s) const {
    if constexpr (Forward) {
      const int h = to.row * s.stride + r - s.pad_top, w = to.column * s.stride + tap_s - s.pad_left;
      return h >= 0 && h < s.H && w >= 0 && w < s.W ? (std::int64_t{to.n} * s.H + h) * s.W + w : -1;
    } else {
      const int h = to.row + s.pad_top - r, w = to.column + s.pad_left - tap_s;
      const int p = by_stride.quotient(max(h, 0)), q = by_stride.quotient(max(w, 0));
      const bool exists = h >= 0 && w >= 0 && p * s.stride == h && q * s.stride == w && p < s.P && q < s.Q;
      return exists ? (std::int64_t{to.n} * s.P + p) * s.Q + q : -1;
    }
  }
};

// ---- kernels

template <bool Forward, class T, class U>
__global__ void __launch_bounds__(kGroupedThreads)
    grouped_kernel(const GroupedPlaces<Forward> places, const int pixels, const int groups,
                   const int tiles,       // of 16 channels, in a group's result
                   const T* from,         // x [N,H,W,C] or dy [N,P,Q,K]
                   const T* w,            // [K,R,S,C/groups]
                   const float* bias,     // [K], or null
                   const Activation act,  // of forward
                   U* to) {               // y [N,P,Q,K] or dx [N,H,W,C]
  DUEL_SHARED(inputs, float[kGroupedPixels][kGroupedChannels + 1]);
  DUEL_SHARED(filters, float[kGroupedChannels][kGroupedChannels + 1]);
  const ConvShape& s = places.s;
  const int group_c = s.C / groups, group_k = s.K / groups;
  const int inner = Forward ? group_c : group_k, outer = Forward ? group_k : group_c;
  const int group = static_cast<int>(blockIdx.y) / tiles;
  const int first_o = static_cast<int>(blockIdx.y) % tiles * kGroupedChannels;
  const int first = static_cast<int>(blockIdx.x) * kGroupedPixels;
  const int o = static_cast<int>(threadIdx.x) % kGroupedChannels,
            lane = static_cast<int>(threadIdx.x) / kGroupedChannels;
  const int i = o;  // where it brings inputs
  typename GroupedPlaces<Forward>::Pixel own[kGroupedPerThread];
#pragma unroll
  for (int j = 0; j < kGroupedPerThread; ++j) {
    own[j] = places.pixel(min(first + lane + j * kGroupedLanes, pixels - 1));
  }
  float sums[kGroupedPerThread] = {};
  for (int tap = 0; tap < s.R * s.S; ++tap) {
    const int r = tap / s.S, tap_s = tap % s.S;
    std::int64_t met[kGroupedPerThread];
#pragma unroll
    for (int j = 0; j < kGroupedPerThread; ++j) {
      met[j] = places.met(own[j], r, tap_s);
    }
    for (int first_i = 0; first_i < inner; first_i += kGroupedChannels) {
      __syncthreads();  // the step before has been read
#pragma unroll
      for (int j = 0; j < kGroupedPerThread; ++j) {
        const bool exists = met[j] >= 0 && first_i + i < inner;
        inputs[lane + j * kGroupedLanes][i] =
            exists ? to_float(from[met[j] * (std::int64_t{inner} * groups) + group * inner + first_i + i]) : 0.0F;
      }
      // Neighbouring threads read neighbouring channels c.
      const int along = o, across = lane;
      const int filter_k = Forward ? first_o + across : first_i + across,
                filter_c = Forward ? first_i + along : first_o + along;
      const bool exists = filter_k < group_k && filter_c < group_c;
      const float weight =
          exists ? to_float(w[((std::int64_t{group} * group_k + filter_k) * s.R * s.S + tap) * group_c + filter_c])
                 : 0.0F;
      filters[Forward ? along : across][Forward ? across : along] = weight;
      __syncthreads();  // every thread reads what others brought
#pragma unroll
      for (int step = 0; step < kGroupedChannels; ++step) {
        const float factor = filters[step][o];
#pragma unroll
        for (int j = 0; j < kGroupedPerThread; ++j) {
          sums[j] = fmaf(inputs[lane + j * kGroupedLanes][step], factor, sums[j]);
        }
      }
    }
  }
  const int channel = group * outer + first_o + o;
  const bool is_made = first_o + o < outer;
  const float added = is_made && bias != nullptr ? bias[channel] : 0.0F;
#pragma unroll
  for (int j = 0; j < kGroupedPerThread; ++j) {
    const int pixel = first + lane + j * kGroupedLanes;
    if (is_made && pixel < pixels) {
      to[pixel * (std::int64_t{outer} * groups) + channel] =
          from_float<U>(activated(act.kind, act.slope, sums[j] + added));
    }
  }
}

template <class T>
__global__ void __launch_bounds__(kGroupedThreads)
    grouped_weight_kernel(const GroupedPlaces<true> places, const int pixels, const int pixels_per_part,
                          const int groups, const int tiles_k, const int tiles_c,
                          const T* x,         // [N,H,W,C]
                          const T* dy,        // [N,P,Q,K]
                          float* partials) {  // [gridDim.x, K*R*S*C/groups]
  DUEL_SHARED(gradients, float[kGroupedStep][kGroupedChannels + 1]);
  DUEL_SHARED(inputs, float[kGroupedStep][kGroupedChannels + 1]);
  const ConvShape& s = places.s;
  const int group_c = s.C / groups, group_k = s.K / groups, taps = s.R * s.S;
  const int tap = static_cast<int>(blockIdx.y) % taps, tile = static_cast<int>(blockIdx.y) / taps;
  const int first_c = tile % tiles_c * kGroupedChannels, first_k = tile / tiles_c % tiles_k * kGroupedChannels;
  const int group = static_cast<int>(blockIdx.z);
  const int column = static_cast<int>(threadIdx.x) % kGroupedChannels,
            row = static_cast<int>(threadIdx.x) / kGroupedChannels;
  const int begin = static_cast<int>(blockIdx.x) * pixels_per_part, end = min(pixels, begin + pixels_per_part);
  float sum = 0;
  for (int first = begin; first < end; first += kGroupedStep) {
    __syncthreads();  // the step before has been read
#pragma unroll
    for (int j = row; j < kGroupedStep; j += kGroupedLanes) {
      const int pixel = first + j;
      const std::int64_t met = pixel < end ? places.met(places.pixel(pixel), tap / s.S, tap % s.S) : -1;
      gradients[j][column] = pixel < end && first_k + column < group_k
                                 ? to_float(dy[std::int64_t{pixel} * s.K + group * group_k + first_k + column])
                                 : 0.0F;
      inputs[j][column] =
          met >= 0 && first_c + column < group_c ? to_float(x[met * s.C + group * group_c + first_c + column]) : 0.0F;
    }
    __syncthreads();  // every thread reads what others brought
#pragma unroll
    for (int j = 0; j < kGroupedStep; ++j) {
      sum = fmaf(gradients[j][row], inputs[j][column], sum);
    }
  }
  if (first_k + row < group_k && first_c + column < group_c) {
    const std::int64_t elements = std::int64_t{s.K} * taps * group_c;
    partials[blockIdx.x * elements + ((std::int64_t{group} * group_k + first_k + row) * taps + tap) * group_c +
             first_c + column] = sum;
  }
}

// K = C = groups.
template <bool Forward, class T, class U>
__global__ void __launch_bounds__(kGroupedThreads)
    depthwise_kernel(const GroupedPlaces<Forward> places, const Divider by_channels, const int elements,
                     const T* from,         // x [N,H,W,C] or dy [N,P,Q,C]
                     const T* w,            // [C,R,S,1]
                     const float* bias,     // [C], or null
                     const Activation act,  // of forward
                     U* to) {               // y [N,P,Q,C] or dx [N,H,W,C]
  const ConvShape& s = places.s;
  const int taps = s.R * s.S;
  const std::int64_t stride = std::int64_t{gridDim.x} * kGroupedThreads;
  for (std::int64_t e = std::int64_t{blockIdx.x} * kGroupedThreads + threadIdx.x; e < elements; e += stride) {
    const int index = by_channels.quotient(static_cast<int>(e)),
              channel = by_channels.remainder(static_cast<int>(e), index);
    const auto own = places.pixel(index);
    float sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      const std::int64_t met = places.met(own, tap / s.S, tap % s.S);
      if (met >= 0) {
        sum = fmaf(to_float(from[met * s.C + channel]), to_float(w[std::int64_t{channel} * taps + tap]), sum);
      }
    }
    const float added = bias != nullptr ? bias[channel] : 0.0F;
    to[e] = from_float<U>(activated(act.kind, act.slope, sum + added));
  }
}

template <class T>
__global__ void __launch_bounds__(kGroupedThreads)
    depthwise_weight_kernel(const GroupedPlaces<true> places, const int pixels, const int pixels_per_part,
                            const T* x,         // [N,H,W,C]
                            const T* dy,        // [N,P,Q,C]
                            float* partials) {  // [gridDim.x, C*R*S]
  DUEL_SHARED(sums, float[kDepthwiseLanes][kDepthwiseChannels]);
  const ConvShape& s = places.s;
  const int taps = s.R * s.S, tap = static_cast<int>(blockIdx.z);
  const int column = static_cast<int>(threadIdx.x) % kDepthwiseChannels,
            lane = static_cast<int>(threadIdx.x) / kDepthwiseChannels;
  const int channel = static_cast<int>(blockIdx.y) * kDepthwiseChannels + column;
  const int begin = static_cast<int>(blockIdx.x) * pixels_per_part, end = min(pixels, begin + pixels_per_part);
  float sum = 0;
  for (int pixel = begin + lane; channel < s.C && pixel < end; pixel += kDepthwiseLanes) {
    const std::int64_t met = places.met(places.pixel(pixel), tap / s.S, tap % s.S);
    if (met >= 0) {
      sum = fmaf(to_float(dy[std::int64_t{pixel} * s.C + channel]), to_float(x[met * s.C + channel]), sum);
    }
  }
  sums[lane][column] = sum;
  __syncthreads();  // a channel is added up from the sums of all lanes
  if (lane == 0 && channel < s.C) {
    for (int other = 1; other < kDepthwiseLanes; ++other) {
      sum += sums[other][column];
    }
    partials[(std::int64_t{blockIdx.x} * s.C + channel) * taps + tap] = sum;
  }
}

// ---- launchers

namespace {

// Where the finished sums of weights go.
struct WeightStore {
  float* dw;
  __device__ __forceinline__ void operator()(int element, float sum) const { dw[element] = sum; }
};

template <bool Forward>
void spread_groups(CudaContext& context, const char* op, const ConvShape& s, int groups, const Activation& act,
                   View from, View w, View bias, View to) {
  const GroupedPlaces<Forward> places(s);
  const std::int64_t pixels = std::int64_t{s.N} * places.rows * places.columns;
  check(to.count() < std::int64_t{1} << 31,
        "{}: {} has 2^31 elements or more, which the CUDA backend does not take in groups", op, to);
  const int outer = (Forward ? s.K : s.C) / groups;
  const int tiles = (outer + kGroupedChannels - 1) / kGroupedChannels;
  const bool is_depthwise = s.K == groups && s.C == groups;
  check(is_depthwise || std::int64_t{groups} * tiles <= 65535,
        "{}: {} groups of {} channels are more than the CUDA backend takes", op, groups, outer);
  with_float_type(from.dtype, [&](auto element) {
    using T = decltype(element);
    with_float_type(to.dtype, [&](auto result) {
      using U = decltype(result);
      if (is_depthwise) {
        const std::int64_t elements = pixels * s.C;
        launch(context, op, {blocks_for(elements, kGroupedThreads), kGroupedThreads}, depthwise_kernel<Forward, T, U>,
               places, Divider(s.C), static_cast<int>(elements), from.as<const T>(), w.as<const T>(),
               bias.as<const float>(), act, to.as<U>());
      } else {
        const auto blocks = static_cast<unsigned>((pixels + kGroupedPixels - 1) / kGroupedPixels);
        launch(context, op, {{blocks, static_cast<unsigned>(groups * tiles)}, kGroupedThreads},
               grouped_kernel<Forward, T, U>, places, static_cast<int>(pixels), groups, tiles, from.as<const T>(),
               w.as<const T>(), bias.as<const float>(), act, to.as<U>());
      }
    });
  });
}

}  // namespace

void conv2d_forward_grouped(CudaContext& context, const ConvShape& s, int groups, const Activation& act, View x, View w,
                            View bias, View y) {
  spread_groups<true>(context, "conv2d_forward", s, groups, act, x, w, bias, y);
}

void conv2d_backward_input_grouped(CudaContext& context, const ConvShape& s, int groups, View dy, View w, View dx) {
  spread_groups<false>(context, "conv2d_backward_input", s, groups, {}, dy, w, View{}, dx);
}

void conv2d_backward_weight_grouped(CudaContext& context, const ConvShape& s, int groups, View x, View dy, View dw) {
  constexpr const char* kOp = "conv2d_backward_weight";
  const GroupedPlaces<true> places(s);
  const int pixels = s.N * s.P * s.Q, taps = s.R * s.S, group_c = s.C / groups, group_k = s.K / groups;
  const int tiles_k = (group_k + kGroupedChannels - 1) / kGroupedChannels,
            tiles_c = (group_c + kGroupedChannels - 1) / kGroupedChannels;
  const bool is_depthwise = group_k == 1 && group_c == 1;
  check(groups <= 65535 && taps <= 65535 && std::int64_t{taps} * tiles_k * tiles_c <= 65535,
        "{}: dw {} of {} groups is more than the CUDA backend takes", kOp, dw, groups);
  const unsigned channel_blocks = static_cast<unsigned>((s.C + kDepthwiseChannels - 1) / kDepthwiseChannels);
  const std::int64_t blocks =
      is_depthwise ? std::int64_t{channel_blocks} * taps : std::int64_t{taps} * tiles_k * tiles_c * groups;
  const auto elements = static_cast<int>(dw.count());
  // Blocks that fill the GPU twice, as far as there are pixels and memory for the partial sums.
  constexpr int kPartPixels = 4 * kGroupedStep;  // at least
  std::int64_t parts = std::max<std::int64_t>(1, 2 * context.multiprocessors() / blocks);
  parts = std::min<std::int64_t>(parts, (pixels + kPartPixels - 1) / kPartPixels);
  parts = std::clamp<std::int64_t>(CudaContext::kPartialBytes / sizeof(float) / elements, 1, parts);
  const int per_part =
      (static_cast<int>((pixels + parts - 1) / parts) + kGroupedStep - 1) / kGroupedStep * kGroupedStep;
  parts = (pixels + per_part - 1) / per_part;
  auto* const partials = parts == 1 ? dw.as<float>() : static_cast<float*>(context.partials());
  const auto part_blocks = static_cast<unsigned>(parts);
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    if (is_depthwise) {
      launch(context, kOp, {{part_blocks, channel_blocks, static_cast<unsigned>(taps)}, kGroupedThreads},
             depthwise_weight_kernel<T>, places, pixels, per_part, x.as<const T>(), dy.as<const T>(), partials);
    } else {
      launch(context, kOp,
             {{part_blocks, static_cast<unsigned>(taps * tiles_k * tiles_c), static_cast<unsigned>(groups)},
              kGroupedThreads},
             grouped_weight_kernel<T>, places, pixels, per_part, groups, tiles_k, tiles_c, x.as<const T>(),
             dy.as<const T>(), partials);
    }
  });
  if (parts > 1) {
    sum_parts(context, kOp, partials, static_cast<int>(parts), elements, WeightStore{dw.as<float>()});
  }
}

}  // namespace duel

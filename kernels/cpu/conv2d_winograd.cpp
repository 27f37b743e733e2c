#include "kernels/cpu/conv2d_winograd.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector_activation.h"
#include "kernels/cpu/winograd_product.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace duel {

using namespace winograd;
using simd::stream, simd::suits_streams;

namespace {

// A convolution of I to O channels: the forward pass, or the input gradient, which is one of dy with the filters
// turned by 180 degrees and the padding that is left of 2.
template <class In, class Out>
struct Layer {
  Pictures<In> in;
  int N, P, Q, O;
  int pad_top, pad_left;
  const float* u;     // [36,I,O], the transformed filters, each matrix in panels
  const float* bias;  // [O] or null
  Out* out;           // [N,P,Q,O], or O of more channels
  int out_pitch;      // from a pixel to the next
  bool streamed;      // Out is float then

  // The same one's group g, where this is its first.
  Layer group(std::int64_t g) const {
    Layer layer = *this;
    layer.in.data += g * in.C;
    layer.u += g * kPlanes * in.C * O;
    layer.bias += bias != nullptr ? g * O : 0;
    layer.out += g * O;
    return layer;
  }
};

constexpr int kBlockTiles = kLanes == 16 ? 10 : 4;  // whose products are in registers at a time

// Tiles worked on at a time: transformed inputs and products take a quarter of a Zen 4 core's 1 MiB cache, beside the
// filters.
int tiles_at_once(int I, int O) {
  const int fitting = (192 << 10) / (kPlanes * (I + O) * static_cast<int>(sizeof(float)));
  return std::max(fitting / kBlockTiles, 1) * kBlockTiles;
}

inline void put(bool streamed, float* to, Vec v) {
  if (streamed) {
    stream(to, v);
  } else {
    store(to, v);
  }
}
inline void put(bool /*streamed*/, Bf16* to, Vec v) {
  store(to, v);
}

// Tiles first .. first+tiles-1 from v [36,tiles,I] by m [36,tiles,O] to the output; `next_in` and `next_first` are what
// will be worked on then.
template <class In, class Out, class Act>
void convolve_tiles(const Layer<In, Out>& layer, const Tiling& tiling, std::int64_t first, int tiles, Act act, float* v,
                    float* m, const Pictures<In>& next_in, std::int64_t next_first) {
  const int I = layer.in.C, O = layer.O;
  const std::int64_t v_plane = std::int64_t{tiles} * I, m_plane = std::int64_t{tiles} * O;
  Place place(tiling, first);
  for (int t = 0; t < tiles; ++t, place.advance(tiling)) {
    spread_tile<kTile, spread_input>(layer.in, place.picture, place.top - layer.pad_top, place.left - layer.pad_left,
                                     v_plane, v + std::int64_t{t} * I);
  }
  const int next = static_cast<int>(std::min<std::int64_t>(tiles, tiling.count - next_first));
  const int calls = kPlanes * calls_between(kBlockTiles, tiles, I, O);
  const int calls_a_panel = calls_between(kBlockTiles, tiles, I, 2 * kLanes);
  struct {
    TilesAhead<true, Out> outputs;
    TilesAhead<false, In> inputs;  // of the next tiles those that this row of tiles has not read
    PanelsAhead filters;
    bool streamed;
    [[gnu::always_inline]] void operator()() {
      if (!streamed) {
        outputs.fetch();
      }
      inputs.fetch();
      filters.fetch();
    }
  } ahead{
      {{layer.out, layer.P, layer.Q, O, layer.out_pitch}, tiling, first, tiles, 0, 0, calls},
      {next_in, tiling, next_first, next, kTile - kOutputs - layer.pad_top, kTile - kOutputs - layer.pad_left, calls},
      {layer.u, std::int64_t{kPlanes} * I * O, I, calls_a_panel},
      layer.streamed};
  for (int e = 0; e < kPlanes; ++e) {
    multiply_panels<kBlockTiles>({v + e * v_plane, I, 1}, layer.u + std::int64_t{e} * I * O, tiles, I, O,
                                 m + e * m_plane, ahead);
  }
  place = Place(tiling, first);
  for (int t = 0; t < tiles; ++t, place.advance(tiling)) {
    const int rows = std::min(kOutputs, layer.P - place.top), columns = std::min(kOutputs, layer.Q - place.left);
    Out* corner = layer.out + ((place.picture * layer.P + place.top) * layer.Q + place.left) * layer.out_pitch;
    for (int o = 0; o < O; o += kLanes) {
      const Vec bias = layer.bias != nullptr ? load(layer.bias + o) : Vec{};
      Vec y[kOutputs][kOutputs];
      gather_tile<kOutputs, gather_output>(m + std::int64_t{t} * O + o, m_plane, y);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) {
          put(layer.streamed, corner + (std::int64_t{i} * layer.Q + j) * layer.out_pitch + o, act(y[i][j] + bias));
        }
      }
    }
  }
}

// `layer` is the first of `groups`. Blocks of tiles are taken group by group, so that a pixel's lines stay near.
template <class In, class Out>
void convolve(const CpuContext& context, const Layer<In, Out>& layer, int groups, const Activation& activation,
              float* scratch) {
  const Tiling tiling(layer.N, layer.P, layer.Q);
  const int I = layer.in.C, O = layer.O, at_once = tiles_at_once(I, O);
  const std::int64_t blocks = (tiling.count + at_once - 1) / at_once;
  simd::with_vector_activation(activation, [&](auto act) {
    parallel_ranges(context, blocks * groups, 1, [&](std::int64_t begin, std::int64_t end, int member) {
      float* v = scratch + std::int64_t{member} * kPlanes * at_once * (I + O);
      float* m = v + std::int64_t{kPlanes} * at_once * I;
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i / groups * at_once, next = i + 1;
        const auto tiles = static_cast<int>(std::min<std::int64_t>(at_once, tiling.count - first));
        convolve_tiles(layer.group(i % groups), tiling, first, tiles, act, v, m, layer.group(next % groups).in,
                       next / groups * at_once);
      }
      if (layer.streamed) {
        simd::end_streams();
      }
    });
  });
}

// Groups make few products for each result, so that the results' way to memory is a good part of the time.
bool is_streamed(const Conv2d& conv, View y) {
  return conv.groups > 1 && y.dtype == DType::f32 && suits_streams(y.data, y.bytes());
}

// u[e, c, k] from w[k,r,s,c], for each group: vectors along k are collected one by one.
template <class T>
void transform_filters(const CpuContext& context, const T* of_all, int groups, int K, int C, float* u_of_all) {
  parallel_ranges(context, std::int64_t{groups} * C, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t c = i % C;
      const T* const w = of_all + i / C * K * 9 * C;
      float* const u = u_of_all + i / C * kPlanes * C * K;
      for (int k = 0; k < K; k += kLanes) {
        Vec taps[3][3];
        for (int tap = 0; tap < 9; ++tap) {
          for (int lane = 0; lane < kLanes; ++lane) {
            taps[tap / 3][tap % 3][lane] = to_float(w[((std::int64_t{k} + lane) * 9 + tap) * C + c]);
          }
        }
        spread_taps(taps, std::int64_t{C} * K, u + place_in_panels(c, k, C, K));
      }
    }
  });
}

// u[e, k, c] from w[k,2-r,2-s,c], for each group.
template <class T>
void transform_turned_filters(const CpuContext& context, const T* of_all, int groups, int K, int C, float* u_of_all) {
  parallel_ranges(context, std::int64_t{groups} * K, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t k = i % K;
      const T* const w = of_all + i / K * K * 9 * C;
      float* const u = u_of_all + i / K * kPlanes * K * C;
      for (int c = 0; c < C; c += kLanes) {
        Vec taps[3][3];
        for (int tap = 0; tap < 9; ++tap) {
          taps[tap / 3][tap % 3] = load(w + (k * 9 + 8 - tap) * C + c);
        }
        spread_taps(taps, std::int64_t{K} * C, u + place_in_panels(k, c, K, C));
      }
    }
  });
}

// Whether a quarter of the products in f32 is at least as quick as all of them in bf16, of which AVX512-BF16 makes two
// at a time, and AMX sixteen.
bool is_quick_in_bf16() {
#if defined(__x86_64__)
  static const bool has_amx = [] {  // clang 14 has no name for it
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx >> 22 & 1U) != 0;
  }();
  return kLanes == 16 && !has_amx;
#else
  return false;
#endif
}

// Whether the tiles hold at most `most` times the outputs that there are.
bool wastes_at_most(double most, View y) {
  const std::int64_t tiles = Tiling(y.shape[0], y.shape[1], y.shape[2]).count;
  const std::int64_t pixels = std::int64_t{y.shape[0]} * y.shape[1] * y.shape[2];
  return static_cast<double>(tiles * kOutputs * kOutputs) <= most * static_cast<double>(pixels);
}

}  // namespace

bool suits_winograd(const Conv2d& conv, View x, View w, View y) {
  return suits_winograd_weight(conv, x, w, y) && (x.dtype == DType::f32 || wastes_at_most(1.2, y));
}

bool suits_winograd_weight(const Conv2d& conv, View x, View w, View y) {
  // Below so many tiles transforming the filters costs more than is won; where the tiles at the edges hold more than
  // half as many outputs again as there are, the direct sum is as fast (in bf16 from a fifth on, but for the weight
  // gradient: at 7x7 pixels oneDNN takes 0.75 to 0.93 of the time). Groups have few filters to transform.
  const int tiles_at_least = conv.groups == 1 ? 128 : 16;
  const bool fits = conv.stride == 1 && w.shape[1] == 3 && w.shape[2] == 3 && x.shape[3] / conv.groups % 16 == 0 &&
                    y.shape[3] / conv.groups % 16 == 0 && (x.dtype == DType::f32 || is_quick_in_bf16());
  return fits && Tiling(y.shape[0], y.shape[1], y.shape[2]).count >= tiles_at_least && wastes_at_most(1.5, y);
}

std::size_t winograd_forward_scratch_bytes(const CpuContext& context, const Conv2d& conv, View w) {
  const int K = w.shape[0] / conv.groups, C = w.shape[3];
  const std::int64_t tiles = tiles_at_once(K, C);
  return static_cast<std::size_t>(kPlanes * (w.count() / 9 + context.threads() * tiles * (K + C))) * sizeof(float);
}

void conv2d_forward_winograd(CpuContext& context, const Conv2d& conv, const Activation& activation, View x, View w,
                             View bias, View y) {
  context.reserve_scratch(winograd_forward_scratch_bytes(context, conv, w));
  const int K = w.shape[0] / conv.groups, C = w.shape[3];
  auto* u = static_cast<float*>(context.scratch());
  with_float_type(x.dtype, [&](auto in) {
    using In = decltype(in);
    transform_filters(context, w.as<In>(), conv.groups, K, C, u);
    with_float_type(y.dtype, [&](auto out) {
      using Out = decltype(out);
      const Layer<In, Out> layer{{x.as<In>(), x.shape[1], x.shape[2], C, x.shape[3]},
                                 y.shape[0],
                                 y.shape[1],
                                 y.shape[2],
                                 K,
                                 conv.pad_top,
                                 conv.pad_left,
                                 u,
                                 bias.as<float>(),
                                 y.as<Out>(),
                                 y.shape[3],
                                 is_streamed(conv, y)};
      convolve(context, layer, conv.groups, activation, u + w.count() / 9 * kPlanes);
    });
  });
}

void conv2d_backward_input_winograd(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  context.reserve_scratch(winograd_forward_scratch_bytes(context, conv, w));
  const int K = w.shape[0] / conv.groups, C = w.shape[3];
  auto* u = static_cast<float*>(context.scratch());
  with_float_type(dy.dtype, [&](auto in) {
    using In = decltype(in);
    transform_turned_filters(context, w.as<In>(), conv.groups, K, C, u);
    with_float_type(dx.dtype, [&](auto out) {
      using Out = decltype(out);
      const Layer<In, Out> layer{{dy.as<In>(), dy.shape[1], dy.shape[2], K, dy.shape[3]},
                                 dx.shape[0],
                                 dx.shape[1],
                                 dx.shape[2],
                                 C,
                                 2 - conv.pad_top,
                                 2 - conv.pad_left,
                                 u,
                                 nullptr,
                                 dx.as<Out>(),
                                 dx.shape[3],
                                 is_streamed(conv, dx)};
      convolve(context, layer, conv.groups, {}, u + w.count() / 9 * kPlanes);
    });
  });
}

}  // namespace duel

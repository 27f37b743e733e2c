#include "kernels/cpu/conv2d_halving.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector_activation.h"
#include "kernels/cpu/winograd_pairs.h"
#include "kernels/cpu/winograd_product.h"

#include <algorithm>
#include <cstdint>

namespace duel {

using namespace winograd;

namespace {

constexpr int kPhases = 4;                          // phase 2i + j: rows of parity i and columns of parity j
constexpr int kBlockTiles = kLanes == 16 ? 10 : 4;  // whose products are in registers at a time
constexpr std::int64_t kTilesBytes = 512 << 10;     // of transformed tiles and their products at a time
constexpr std::int64_t kTilesAtLeast = 128;         // below, transforming the filters costs more than is won
// K * C: above, the transformed filters (400 bytes each) do not stay in the third cache beside the pictures, and each
// block of tiles reads them.
constexpr std::int64_t kMostFilters = 64 * 128;

// Tiles worked on at a time by one thread: as many blocks as the second cache has room for, and no fewer than keep all
// threads busy.
int tiles_at_once(std::int64_t inputs, std::int64_t outputs) {
  const std::int64_t bytes = pairs::kPlanes * (inputs + outputs) * static_cast<std::int64_t>(sizeof(float));
  return static_cast<int>(std::max<std::int64_t>(kTilesBytes / bytes / kBlockTiles, 1)) * kBlockTiles;
}

// Walks the tiles in blocks: spread(first, tiles, v) makes their transformed inputs [25,tiles,inputs], gather(first,
// tiles, m) takes the products [25,tiles,outputs] with u [25,inputs,outputs], its matrices in panels.
template <class SpreadTiles, class GatherTiles>
void multiply_tiles(const CpuContext& context, std::int64_t count, int inputs, int outputs, const float* u,
                    float* scratch, const SpreadTiles& spread, const GatherTiles& gather) {
  const int at_once = tiles_at_once(inputs, outputs);
  parallel_ranges(context, (count + at_once - 1) / at_once, 1, [&](std::int64_t begin, std::int64_t end, int member) {
    float* const v = scratch + std::int64_t{member} * pairs::kPlanes * at_once * (inputs + outputs);
    float* const m = v + std::int64_t{pairs::kPlanes} * at_once * inputs;
    for (std::int64_t block = begin; block < end; ++block) {
      const std::int64_t first = block * at_once;
      const auto tiles = static_cast<int>(std::min<std::int64_t>(at_once, count - first));
      spread(first, tiles, v);
      const int calls = (tiles / kBlockTiles + tiles % kBlockTiles) * (inputs / simd::kStepsBetween);
      PanelsAhead filters(u, std::int64_t{pairs::kPlanes} * inputs * outputs, inputs, calls);
      const auto ahead = [&] { filters.fetch(); };
      for (std::int64_t e = 0; e < pairs::kPlanes; ++e) {
        multiply_panels<kBlockTiles>({v + e * tiles * inputs, inputs, 1}, u + e * inputs * outputs, tiles, inputs,
                                     outputs, m + e * tiles * outputs, ahead);
      }
      gather(first, tiles, m);
    }
  });
}

// u[e, (phase,c), k], in panels, from w[k,r,s,c]: vectors along k are collected one by one.
template <class T>
void transform_filters(const CpuContext& context, const T* w, int K, int C, float* u) {
  parallel_ranges(context, std::int64_t{kPhases} * C, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t phase = row / C, c = row % C;
      for (int k = 0; k < K; k += kLanes) {
        Vec taps[2][2];
        for (int tap = 0; tap < 4; ++tap) {
          const std::int64_t r = tap / 2 * 2 + phase / 2, s = tap % 2 * 2 + phase % 2;
          for (int lane = 0; lane < kLanes; ++lane) {
            taps[tap / 2][tap % 2][lane] = to_float(w[((std::int64_t{k} + lane) * 16 + r * 4 + s) * C + c]);
          }
        }
        pairs::spread_taps(taps, std::int64_t{kPhases} * C * K, u + place_in_panels(row, k, kPhases * C, K));
      }
    }
  });
}

// u[e, k, (phase,c)], in panels, from w[k,r,s,c], the taps of a phase turned.
template <class T>
void transform_turned_filters(const CpuContext& context, const T* w, int K, int C, float* u) {
  const int columns = kPhases * C;
  parallel_ranges(context, K, 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      for (int phase = 0; phase < kPhases; ++phase) {
        for (int c = 0; c < C; c += kLanes) {
          Vec taps[2][2];
          for (int tap = 0; tap < 4; ++tap) {
            const int r = (1 - tap / 2) * 2 + phase / 2, s = (1 - tap % 2) * 2 + phase % 2;
            taps[tap / 2][tap % 2] = load(w + (k * 16 + r * 4 + s) * C + c);
          }
          pairs::spread_taps(taps, std::int64_t{columns} * K, u + place_in_panels(k, phase * C + c, K, columns));
        }
      }
    }
  });
}

// Rows of the halved picture to which pixels 0 .. extent-1 belong, in either phase.
int halved(int extent, int pad) {
  return (extent - 1 + pad) / 2 + 1;
}

template <class In, class Out>
void convolve(CpuContext& context, const Conv2d& conv, const Activation& activation, View x, View w, View bias,
              View y) {
  const int K = w.shape[0], C = w.shape[3], P = y.shape[1], Q = y.shape[2];
  auto* const u = static_cast<float*>(context.scratch());
  transform_filters(context, w.as<const In>(), K, C, u);
  const Pictures<const In> pictures{x.as<const In>(), x.shape[1], x.shape[2], C};
  const Tiling tiling(y.shape[0], P, Q);
  const auto spread = [&](std::int64_t first, int tiles, float* v) {
    for (int t = 0; t < tiles; ++t) {
      const Place place(tiling, first + t);
      for (int phase = 0; phase < kPhases; ++phase) {
        spread_tile<pairs::kTile, pairs::spread_input, pairs::kTile, 2>(
            pictures, place.picture, 2 * place.top - conv.pad_top + phase / 2,
            2 * place.left - conv.pad_left + phase % 2, std::int64_t{tiles} * kPhases * C,
            v + (std::int64_t{t} * kPhases + phase) * C);
      }
    }
  };
  simd::with_vector_activation(activation, [&](auto act) {
    const auto gather = [&](std::int64_t first, int tiles, const float* m) {
      for (int t = 0; t < tiles; ++t) {
        const Place place(tiling, first + t);
        const int rows = std::min(kOutputs, P - place.top), columns = std::min(kOutputs, Q - place.left);
        Out* const corner = y.as<Out>() + ((place.picture * P + place.top) * Q + place.left) * K;
        for (int k = 0; k < K; k += kLanes) {
          const Vec added = bias.shape.rank() > 0 ? load(bias.as<const float>() + k) : Vec{};
          Vec out[kOutputs][kOutputs];
          gather_tile<kOutputs, pairs::gather_output, pairs::kTile>(m + std::int64_t{t} * K + k,
                                                                    std::int64_t{tiles} * K, out);
          for (int i = 0; i < rows; ++i) {
            for (int j = 0; j < columns; ++j) {
              store(corner + (std::int64_t{i} * Q + j) * K + k, act(out[i][j] + added));
            }
          }
        }
      }
    };
    multiply_tiles(context, tiling.count, kPhases * C, K, u, u + std::int64_t{pairs::kPlanes} * kPhases * C * K, spread,
                   gather);
  });
}

template <class In, class Out>
void spread_gradient(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  const int K = w.shape[0], C = w.shape[3], H = dx.shape[1], W = dx.shape[2];
  auto* const u = static_cast<float*>(context.scratch());
  transform_turned_filters(context, w.as<const In>(), K, C, u);
  const Pictures<const In> pictures{dy.as<const In>(), dy.shape[1], dy.shape[2], K};
  const Tiling tiling(dx.shape[0], halved(H, conv.pad_top), halved(W, conv.pad_left));
  const auto spread = [&](std::int64_t first, int tiles, float* v) {
    for (int t = 0; t < tiles; ++t) {
      const Place place(tiling, first + t);
      spread_tile<pairs::kTile, pairs::spread_input, pairs::kTile>(
          pictures, place.picture, place.top - 1, place.left - 1, std::int64_t{tiles} * K, v + std::int64_t{t} * K);
    }
  };
  const auto gather = [&](std::int64_t first, int tiles, const float* m) {
    for (int t = 0; t < tiles; ++t) {
      const Place place(tiling, first + t);
      Out* const picture = dx.as<Out>() + place.picture * H * W * C;
      for (int phase = 0; phase < kPhases; ++phase) {
        const int top = 2 * place.top - conv.pad_top + phase / 2, left = 2 * place.left - conv.pad_left + phase % 2;
        for (int c = 0; c < C; c += kLanes) {
          Vec out[kOutputs][kOutputs];
          gather_tile<kOutputs, pairs::gather_output, pairs::kTile>(m + (std::int64_t{t} * kPhases + phase) * C + c,
                                                                    std::int64_t{tiles} * kPhases * C, out);
          for (int i = 0; i < kOutputs; ++i) {
            for (int j = 0; j < kOutputs; ++j) {
              const int h = top + 2 * i, pixel = left + 2 * j;
              if (h >= 0 && h < H && pixel >= 0 && pixel < W) {
                store(picture + (std::int64_t{h} * W + pixel) * C + c, out[i][j]);
              }
            }
          }
        }
      }
    }
  };
  multiply_tiles(context, tiling.count, K, kPhases * C, u, u + std::int64_t{pairs::kPlanes} * kPhases * C * K, spread,
                 gather);
}

bool fits(const Conv2d& conv, View x, View w, View y) {
  const Tiling tiling(y.shape[0], y.shape[1], y.shape[2]);
  const std::int64_t pixels = std::int64_t{y.shape[0]} * y.shape[1] * y.shape[2];
  return std::int64_t{w.shape[0]} * w.shape[3] <= kMostFilters && conv.stride == 2 && w.shape[1] == 4 &&
         w.shape[2] == 4 && x.shape[3] % 16 == 0 && y.shape[3] % 16 == 0 && tiling.count >= kTilesAtLeast &&
         tiling.count * kOutputs * kOutputs * 2 <= pixels * 3;
}

}  // namespace

bool suits_halving(const Conv2d& conv, View x, View w, View y) {
  return x.dtype == DType::f32 && fits(conv, x, w, y);
}

bool suits_halving_weight(const Conv2d& conv, View x, View dw, View dy) {
  return fits(conv, x, dw, dy);
}

std::size_t halving_scratch_bytes(const CpuContext& context, View w) {
  const std::int64_t K = w.shape[0], many = std::int64_t{kPhases} * w.shape[3];
  return static_cast<std::size_t>(pairs::kPlanes *
                                  (K * many + context.threads() * tiles_at_once(K, many) * (K + many))) *
         sizeof(float);
}

void conv2d_forward_halving(CpuContext& context, const Conv2d& conv, const Activation& activation, View x, View w,
                            View bias, View y) {
  context.reserve_scratch(halving_scratch_bytes(context, w));
  with_float_type(x.dtype, [&](auto in) {
    with_float_type(y.dtype,
                    [&](auto out) { convolve<decltype(in), decltype(out)>(context, conv, activation, x, w, bias, y); });
  });
}

void conv2d_backward_input_halving(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  context.reserve_scratch(halving_scratch_bytes(context, w));
  with_float_type(dy.dtype, [&](auto in) {
    with_float_type(dx.dtype,
                    [&](auto out) { spread_gradient<decltype(in), decltype(out)>(context, conv, dy, w, dx); });
  });
}

}  // namespace duel

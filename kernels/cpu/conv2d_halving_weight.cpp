// The weight gradient by F(2x2,4x4): tiles of dy (4x4) and of the four phases of x (5x5) are transformed, their
// products summed over all tiles, and the 25 sums [K,(phase,C)] transformed back once.
//
// A thread takes one block of the sums, small enough for its second cache beside a few transformed tiles, and walks
// over all tiles: what several blocks need is transformed again for each. Where there are fewer blocks than threads the
// tiles are parted as well, and the parts added in their order, so a call's bytes depend on the number of threads and
// on nothing else.
#include "kernels/cpu/conv2d_halving.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/winograd_pairs.h"
#include "kernels/cpu/winograd_product.h"

#include <algorithm>
#include <cstdint>

namespace duel {

using namespace winograd;

namespace {

constexpr int kPhases = 4;                        // as in conv2d_halving.cpp
constexpr int kBlockRows = kLanes == 16 ? 8 : 4;  // of K, a multiple of 16
constexpr int kTilesAtOnce = 24;
constexpr std::int64_t kBlockSums = 4096;  // of each of the 25 matrices, so 400 KiB

struct NothingBetween {
  void operator()() const {}
};

// The sums [25,K,4C] in blocks [25,rows,columns] of whole phases.
struct Blocks {
  int K, C;
  int phases, rows;           // of a block
  std::int64_t across, down;  // so many blocks
  std::int64_t parts;         // of the tiles

  Blocks(const CpuContext& context, View dw) : K(dw.shape[0]), C(dw.shape[3]) {
    phases = C <= 16 ? 4 : C <= 32 ? 2 : 1;
    rows = K;
    while (rows % 32 == 0 && std::int64_t{rows} * columns() > kBlockSums) {
      rows /= 2;
    }
    across = kPhases / phases;
    down = K / rows;
    parts = (context.threads() + across * down - 1) / (across * down);
  }
  int columns() const { return phases * C; }
  std::int64_t plane() const { return std::int64_t{rows} * columns(); }
  std::int64_t sums_floats() const { return pairs::kPlanes * plane(); }
  std::int64_t tiles_floats() const { return std::int64_t{pairs::kPlanes} * kTilesAtOnce * (rows + columns()); }
  std::int64_t count() const { return across * down * parts; }
  std::size_t bytes(int threads) const {
    return static_cast<std::size_t>(count() * sums_floats() + threads * tiles_floats()) * sizeof(float);
  }
};

template <class T>
struct Problem {
  Conv2d conv;
  Pictures<const T> x, dy;  // dy: the channels of a block
  int first_phase, phases;
  Tiling tiling;
};

template <class T>
void sum_tiles(const Problem<T>& p, std::int64_t first, int tiles, float* v, float* sums) {
  const int rows = p.dy.C, columns = p.phases * p.x.C;
  float* const gradients = v;
  float* const inputs = v + std::int64_t{pairs::kPlanes} * tiles * rows;
  const std::int64_t dy_plane = std::int64_t{tiles} * rows, x_plane = std::int64_t{tiles} * columns;
  for (int t = 0; t < tiles; ++t) {
    const Place place(p.tiling, first + t);
    spread_tile<kOutputs, pairs::spread_gradient, pairs::kTile>(p.dy, place.picture, place.top, place.left, dy_plane,
                                                                gradients + std::int64_t{t} * rows);
    for (int i = 0; i < p.phases; ++i) {
      const int phase = p.first_phase + i;
      spread_tile<pairs::kTile, pairs::spread_input, pairs::kTile, 2>(
          p.x, place.picture, 2 * place.top - p.conv.pad_top + phase / 2, 2 * place.left - p.conv.pad_left + phase % 2,
          x_plane, inputs + (std::int64_t{t} * p.phases + i) * p.x.C);
    }
  }
  NothingBetween nothing;
  for (std::int64_t e = 0; e < pairs::kPlanes; ++e) {
    multiply<kBlockRows, Into::add>({gradients + e * dy_plane, 1, rows}, inputs + e * x_plane, rows, tiles, columns,
                                    sums + e * rows * columns, nothing);
  }
}

// dw[k,r,s,c] of a block from its sums, which lie `part` floats apart.
void gather_block(const Blocks& blocks, std::int64_t block, float* sums, std::int64_t part, float* dw) {
  const std::int64_t plane = blocks.plane(), columns = blocks.columns();
  const std::int64_t k = block / blocks.across * blocks.rows, phase = block % blocks.across * blocks.phases;
  for (std::int64_t at = 0; at < plane; at += kLanes) {
    for (std::int64_t i = 1; i < blocks.parts; ++i) {
      for (std::int64_t e = 0; e < pairs::kPlanes; ++e) {
        float* const total = sums + e * plane + at;
        store(total, load(total) + load(total + i * part));
      }
    }
    Vec taps[2][2];
    gather_tile<2, pairs::gather_filter, pairs::kTile>(sums + at, plane, taps);
    const std::int64_t own = phase + at % columns / blocks.C, c = at % columns % blocks.C;
    for (int tap = 0; tap < 4; ++tap) {
      const std::int64_t r = tap / 2 * 2 + own / 2, s = tap % 2 * 2 + own % 2;
      store(dw + ((k + at / columns) * 16 + r * 4 + s) * blocks.C + c, taps[tap / 2][tap % 2]);
    }
  }
}

}  // namespace

std::size_t halving_weight_scratch_bytes(const CpuContext& context, View dw) {
  return Blocks(context, dw).bytes(context.threads());
}

void conv2d_backward_weight_halving(CpuContext& context, const Conv2d& conv, View x, View dy, View dw) {
  const Blocks blocks(context, dw);
  context.reserve_scratch(blocks.bytes(context.threads()));
  auto* const all_sums = static_cast<float*>(context.scratch());
  float* const all_tiles = all_sums + blocks.count() * blocks.sums_floats();
  const std::int64_t one_part = blocks.across * blocks.down;
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Tiling tiling(dy.shape[0], dy.shape[1], dy.shape[2]);
    parallel_ranges(context, blocks.count(), 1, [&](std::int64_t begin, std::int64_t end, int member) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t part = i / one_part, block = i % one_part;
        const std::int64_t k = block / blocks.across * blocks.rows;
        const Problem<T> problem{conv,
                                 {x.as<const T>(), x.shape[1], x.shape[2], blocks.C},
                                 {dy.as<const T>() + k, dy.shape[1], dy.shape[2], blocks.rows, blocks.K},
                                 static_cast<int>(block % blocks.across) * blocks.phases,
                                 blocks.phases,
                                 tiling};
        float* const sums = all_sums + i * blocks.sums_floats();
        std::fill_n(sums, blocks.sums_floats(), 0.0F);
        const std::int64_t stop = tiling.count * (part + 1) / blocks.parts;
        for (std::int64_t first = tiling.count * part / blocks.parts; first < stop; first += kTilesAtOnce) {
          const auto tiles = static_cast<int>(std::min<std::int64_t>(kTilesAtOnce, stop - first));
          sum_tiles(problem, first, tiles, all_tiles + member * blocks.tiles_floats(), sums);
        }
      }
    });
  });
  parallel_ranges(context, one_part, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      gather_block(blocks, block, all_sums + block * blocks.sums_floats(), one_part * blocks.sums_floats(),
                   dw.as<float>());
    }
  });
}

}  // namespace duel

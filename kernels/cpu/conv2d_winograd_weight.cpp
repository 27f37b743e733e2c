// The weight gradient by F(3x3,4x4): the tiles of dy (4x4) and of x (6x6) are transformed, their products summed over
// all tiles, and the 36 sums [K,C] transformed back once.
//
// Each of the context's threads sums a fixed range of tiles into sums of its own; these are added in the threads'
// order, so a call's bytes depend on the number of threads and on nothing else.
#include "kernels/cpu/conv2d_winograd.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/winograd_product.h"

namespace duel {

using namespace winograd;

namespace {

// Tiles transformed at a time: more of them read and write the sums less often, as long as all stays in a core's
// second cache.
int tiles_at_once(int K, int C) {
  const int sums = K * C, tile = K + C;
  return std::max(((576 << 10) / (kPlanes * static_cast<int>(sizeof(float))) - sums) / tile, 16);
}

constexpr int kBlockRows = kLanes == 16 ? 8 : 4;  // of K, a multiple of 16

struct Part {
  float *sums, *dy, *x;  // [groups,36,K,C], [36,tiles,K], [36,tiles,C]

  static std::int64_t floats(std::int64_t groups, std::int64_t K, std::int64_t C, std::int64_t tiles) {
    return kPlanes * (groups * K * C + tiles * (K + C));
  }
  Part(float* scratch, std::int64_t part, std::int64_t groups, std::int64_t K, std::int64_t C, std::int64_t tiles)
      : sums(scratch + part * floats(groups, K, C, tiles)),
        dy(sums + groups * kPlanes * K * C),
        x(dy + kPlanes * tiles * K) {}
};

template <class T>
struct Problem {
  Pictures<T> x, dy;
  Tiling tiling;
  int pad_top, pad_left;

  // The same one's group g, where this is its first.
  Problem group(std::int64_t g) const {
    Problem problem = *this;
    problem.x.data += g * x.C;
    problem.dy.data += g * dy.C;
    return problem;
  }
};

// Tiles first .. first+tiles-1; `next` and `next_first` are what will be worked on then.
template <class T>
void sum_tiles(const Problem<T>& p, std::int64_t first, int tiles, const Part& part, const Problem<T>& next,
               std::int64_t next_first) {
  const int K = p.dy.C, C = p.x.C;
  const std::int64_t dy_plane = std::int64_t{tiles} * K, x_plane = std::int64_t{tiles} * C;
  Place place(p.tiling, first);
  for (int t = 0; t < tiles; ++t, place.advance(p.tiling)) {
    spread_tile<kOutputs, spread_gradient>(p.dy, place.picture, place.top, place.left, dy_plane,
                                           part.dy + std::int64_t{t} * K);
    spread_tile<kTile, spread_input>(p.x, place.picture, place.top - p.pad_top, place.left - p.pad_left, x_plane,
                                     part.x + std::int64_t{t} * C);
  }
  const int next_tiles = static_cast<int>(std::min<std::int64_t>(tiles, p.tiling.count - next_first));
  const int calls = kPlanes * calls_between(kBlockRows, K, tiles, C);
  struct {
    TilesAhead<false, T> gradients, inputs;  // of the next tiles
    [[gnu::always_inline]] void operator()() {
      gradients.fetch();
      inputs.fetch();
    }
  } ahead{
      {next.dy, p.tiling, next_first, next_tiles, 0, 0, calls},
      {next.x, p.tiling, next_first, next_tiles, kTile - kOutputs - p.pad_top, kTile - kOutputs - p.pad_left, calls}};
  for (int e = 0; e < kPlanes; ++e) {
    multiply<kBlockRows, Into::add>({part.dy + e * dy_plane, 1, K}, part.x + e * x_plane, K, tiles, C,
                                    part.sums + std::int64_t{e} * K * C, ahead);
  }
}

}  // namespace

std::size_t winograd_backward_weight_scratch_bytes(const CpuContext& context, const Conv2d& conv, View dw) {
  const int groups = conv.groups, K = dw.shape[0] / groups, C = dw.shape[3];
  return static_cast<std::size_t>(context.threads() * Part::floats(groups, K, C, tiles_at_once(K, C))) * sizeof(float);
}

void conv2d_backward_weight_winograd(CpuContext& context, const Conv2d& conv, View x, View dy, View dw) {
  context.reserve_scratch(winograd_backward_weight_scratch_bytes(context, conv, dw));
  const int groups = conv.groups, K = dw.shape[0] / groups, C = dw.shape[3], at_once = tiles_at_once(K, C);
  const std::int64_t plane = std::int64_t{K} * C;
  const auto part_at = [&](std::int64_t i) {
    return Part(static_cast<float*>(context.scratch()), i, groups, K, C, at_once);
  };
  const std::int64_t parts = context.threads();
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Problem<T> problem{{x.as<T>(), x.shape[1], x.shape[2], C, x.shape[3]},
                             {dy.as<T>(), dy.shape[1], dy.shape[2], K, dy.shape[3]},
                             Tiling(dy.shape[0], dy.shape[1], dy.shape[2]),
                             conv.pad_top,
                             conv.pad_left};
    const std::int64_t tiles = problem.tiling.count;
    parallel_ranges(context, parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Part part = part_at(i);
        std::fill_n(part.sums, groups * kPlanes * plane, 0.0F);
        const std::int64_t stop = tiles * (i + 1) / parts;
        for (std::int64_t first = tiles * i / parts; first < stop; first += at_once) {
          const auto count = static_cast<int>(std::min<std::int64_t>(at_once, stop - first));
          for (int g = 0; g < groups; ++g) {
            Part of_group = part;
            of_group.sums += g * kPlanes * plane;
            const int next = (g + 1) % groups;
            sum_tiles(problem.group(g), first, count, of_group, problem.group(next), next == 0 ? first + count : first);
          }
        }
      }
    });
  });
  parallel_ranges(context, dw.shape[0], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const std::int64_t first = (k / K * kPlanes * K + k % K) * C;  // of the group's sums the filter's row
      for (int c = 0; c < C; c += kLanes) {
        float* total = part_at(0).sums + first + c;
        for (std::int64_t i = 1; i < parts; ++i) {
          for (int e = 0; e < kPlanes; ++e) {
            store(total + e * plane, load(total + e * plane) + load(part_at(i).sums + e * plane + first + c));
          }
        }
        Vec taps[3][3];
        gather_tile<3, gather_filter>(total, plane, taps);
        for (int tap = 0; tap < 9; ++tap) {
          store(dw.as<float>() + (k * 9 + tap) * C + c, taps[tap / 3][tap % 3]);
        }
      }
    }
  });
}

}  // namespace duel

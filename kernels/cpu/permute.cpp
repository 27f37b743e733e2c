// Row by row of y, where a row is what lies together in y; in x, too, unless the last axis was another one.
#include "kernels/permute_walk.h"

#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

namespace {

template <class Unit>
void move_rows(const CpuContext& context, const PermuteWalk& walk, const Unit* x, Unit* y, std::int64_t count) {
  const int length = walk.extents[3];
  const std::int64_t grain = std::max<std::int64_t>(1, 4 * kPointwiseGrain / length);
  parallel_ranges(context, count / length, grain, [=](std::int64_t begin, std::int64_t end) {
    const std::int64_t outer = begin / walk.extents[2];
    std::int64_t k = begin % walk.extents[2], j = outer % walk.extents[1], i = outer / walk.extents[1];
    for (std::int64_t row = begin; row < end; ++row) {
      const Unit* const from = x + i * walk.steps[0] + j * walk.steps[1] + k * walk.steps[2];
      Unit* const to = y + row * length;
      if (walk.is_last_contiguous()) {
        std::memcpy(to, from, static_cast<std::size_t>(length) * sizeof(Unit));
      } else {
        for (int c = 0; c < length; ++c) {
          to[c] = from[c * walk.steps[3]];
        }
      }
      if (++k == walk.extents[2]) {
        k = 0;
        if (++j == walk.extents[1]) {
          j = 0;
          ++i;
        }
      }
    }
  });
}

}  // namespace

void permute(CpuContext& context, const Permute& p, View x, View y) {
  const PermuteWalk walk = walk_of(p, x.shape);
  if (size_of(x.dtype) == 4) {
    move_rows(context, walk, x.as<const std::uint32_t>(), y.as<std::uint32_t>(), x.count());
  } else {
    move_rows(context, walk, x.as<const std::uint16_t>(), y.as<std::uint16_t>(), x.count());
  }
}

}  // namespace duel

#include "kernels/random.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace duel {

namespace {

constexpr std::int64_t kBlock = 4;  // numbers of one Philox call

// fill(block) gives the four values of places 4*block..4*block+3.
template <class Fill>
void fill_blocks(CpuContext& context, View y, const Fill& fill) {
  const std::int64_t count = y.count(), blocks = (count + kBlock - 1) / kBlock;
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    parallel_ranges(context, blocks, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block) {
        const std::array<float, 4> values = fill(static_cast<std::uint32_t>(block));
        const std::int64_t left = std::min(kBlock, count - block * kBlock);
        std::transform(values.begin(), values.begin() + left, y.as<T>() + block * kBlock,
                       [](float value) { return from_float<T>(value); });
      }
    });
  });
}

void box_muller(std::uint32_t first, std::uint32_t second, float* pair) {
  const float radius = std::sqrt(-2.0F * std::log(unit_float(first)));
  const float angle = 2.0F * std::numbers::pi_v<float> * unit_float(second);
  pair[0] = radius * std::cos(angle);
  pair[1] = radius * std::sin(angle);
}

}  // namespace

void random_normal(CpuContext& context, const Random& p, View step, View y) {
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  fill_blocks(context, y, [&](std::uint32_t block) {
    const PhiloxBlock bits = philox(p.seed, p.purpose, now, block);
    std::array<float, 4> values{};
    box_muller(bits[0], bits[1], values.data());
    box_muller(bits[2], bits[3], values.data() + 2);
    return values;
  });
}

void random_uniform(CpuContext& context, const Random& p, View step, View y) {
  const auto now = static_cast<std::uint64_t>(step.as<std::int64_t>()[0]);
  fill_blocks(context, y, [&](std::uint32_t block) {
    const PhiloxBlock bits = philox(p.seed, p.purpose, now, block);
    return std::array<float, 4>{unit_float(bits[0]), unit_float(bits[1]), unit_float(bits[2]), unit_float(bits[3])};
  });
}

}  // namespace duel

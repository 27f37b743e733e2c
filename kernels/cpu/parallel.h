// Loops over all threads of a context.
#pragma once

#include "kernels/cpu/context.h"
#include "kernels/cpu/team.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace duel {

// Calls body(begin, end), or body(begin, end, member), with ranges that together cover 0..count-1, each but the last a
// multiple of `grain` long. Which ranges, and on which threads, may differ from call to call (team.h): a body's results
// must depend on the elements alone. `member` is less than context.threads(): no two that run at the same time share
// one. Work of fewer than two grains stays on the calling thread.
template <class Body>
void parallel_ranges(const CpuContext& context, std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t grains = (count + grain - 1) / grain;
  const auto call = [&](std::int64_t begin, std::int64_t end, int member) {
    if constexpr (std::is_invocable_v<const Body&, std::int64_t, std::int64_t, int>) {
      body(begin, end, member);
    } else {
      body(begin, end);
    }
  };
  if (context.threads() == 1 || grains <= 1) {
    call(std::int64_t{0}, count, 0);
    return;
  }
  context.team().share(grains, [&](std::int64_t begin, std::int64_t end, int member) {
    call(begin * grain, std::min(end * grain, count), member);
  });
}

// Elements of a pointwise operator below which a second thread does not pay.
inline constexpr std::int64_t kPointwiseGrain = 4096;

}  // namespace duel

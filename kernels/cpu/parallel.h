// Loops over all threads of a context, and the range each thread takes.
#pragma once

#include "kernels/cpu/context.h"

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace duel {

// Calls body(begin, end) with ranges that together cover 0..count-1, each but the last a multiple of `grain` long.
// Work of fewer than two grains stays on the calling thread: waking another costs microseconds.
template <class Body>
void parallel_ranges(const CpuContext& context, std::int64_t count, std::int64_t grain, const Body& body) {
  const std::int64_t grains = (count + grain - 1) / grain;
  const int threads = static_cast<int>(std::min<std::int64_t>(context.threads(), grains));
  if (threads <= 1) {
    body(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const std::int64_t thread = omp_get_thread_num(), team = omp_get_num_threads();
    const std::int64_t begin = grains * thread / team * grain,
                       end = std::min(grains * (thread + 1) / team * grain, count);
    if (begin < end) {
      body(begin, end);
    }
  }
}

// Elements of a pointwise operator below which a second thread does not pay.
inline constexpr std::int64_t kPointwiseGrain = 4096;

}  // namespace duel

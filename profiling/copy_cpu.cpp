#include "profiling/copy_speed.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <vector>

namespace duel {

double copy_gigabytes_per_second_cpu() {
  constexpr std::ptrdiff_t kChunk = 1 << 20, kChunks = 256;  // 256 MiB: larger than caches
  const std::vector<char> from(kChunks * kChunk, 'd');
  std::vector<char> to(from.size());
  double best = 0;
  for (int round = 0; round < 5; ++round) {  // the first one touches the pages
    const auto begin = std::chrono::steady_clock::now();
#pragma omp parallel for
    for (std::ptrdiff_t i = 0; i < kChunks; ++i) {
      std::memcpy(to.data() + i * kChunk, from.data() + i * kChunk, kChunk);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = std::max(best, 2.0 * static_cast<double>(from.size()) / seconds / 1e9);
  }
  return best;
}

}  // namespace duel

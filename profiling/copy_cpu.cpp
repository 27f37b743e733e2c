#include "kernels/cpu/team.h"
#include "profiling/copy_speed.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace duel {

double copy_gigabytes_per_second_cpu() {
  constexpr std::ptrdiff_t kChunk = 1 << 20, kChunks = 256;  // 256 MiB: larger than caches
  const std::vector<char> from(kChunks * kChunk, 'd');
  std::vector<char> to(from.size());
  Team team(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  double best = 0;
  for (int round = 0; round < 5; ++round) {  // the first one touches the pages
    const auto begin = std::chrono::steady_clock::now();
    team.share(kChunks, [&](std::int64_t first, std::int64_t last, int) {
      std::memcpy(to.data() + first * kChunk, from.data() + first * kChunk, (last - first) * kChunk);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    best = std::max(best, 2.0 * static_cast<double>(from.size()) / seconds / 1e9);
  }
  return best;
}

}  // namespace duel

#include "host/metrics/row_blocks.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace duel {

void for_row_blocks(std::int64_t count, std::int64_t rows, int threads,
                    const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& work) {
  const std::int64_t blocks = row_block_count(count, rows);
  std::atomic<std::int64_t> next{0};
  std::exception_ptr failure;
  std::mutex guard;
  const auto run = [&] {
    for (std::int64_t block = next++; block < blocks; block = next++) {
      try {
        work(block, block * rows, std::min(count, (block + 1) * rows));
      } catch (...) {
        const std::lock_guard lock(guard);
        failure = std::current_exception();
        next = blocks;
      }
    }
  };
  const std::int64_t wanted = threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  {
    std::vector<std::jthread> others;
    for (std::int64_t i = 1; i < std::min(wanted, blocks); ++i) {
      others.emplace_back(run);
    }
    run();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace duel

#include "host/data/in_parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace duel {

void in_parallel(int threads, std::int64_t count, const std::function<void(std::int64_t)>& work) {
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> team;
    for (int thread = 0; thread < std::min<std::int64_t>(threads, count); ++thread) {
      team.emplace_back([&] {
        try {
          for (std::int64_t i = next++; i < count; i = next++) {
            work(i);
          }
        } catch (...) {
          next = count;
          const std::lock_guard lock(mutex);
          failure = failure ? failure : std::current_exception();
        }
      });
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace duel

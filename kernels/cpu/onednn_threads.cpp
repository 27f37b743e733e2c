#include "kernels/cpu/onednn_threads.h"

#include "kernels/check.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>

namespace duel {

namespace {

// What libgomp would be asked of the calling thread. `team` is null outside of OnednnThreads and its regions.
struct Place {
  Team* team = nullptr;
  int threads = 1;  // that a region gets
  int member = 0, members = 1;
  bool is_in_region = false;
};
thread_local Place place;
std::atomic<long> region_count{0};

void run_at(const Place& at, void (*body)(void*), void* data) {
  const Place before = place;
  place = at;
  body(data);
  place = before;
}

// libgomp's own function, which ours hides.
template <class Function>
Function* hidden(const char* name) {
  void* found = dlsym(RTLD_NEXT, name);
  check(found != nullptr, "{} is called, but no OpenMP runtime is there", name);
  return reinterpret_cast<Function*>(found);
}

}  // namespace

OnednnThreads::OnednnThreads(Team& team, int threads) {
  place = {&team, std::min(threads, team.threads())};
}

OnednnThreads::~OnednnThreads() {
  place = {};
}

long OnednnThreads::regions() {
  return region_count.load(std::memory_order_relaxed);
}

// --- What oneDNN calls of libgomp (gcc's libgomp.h and omp.h) ---------------------------------------------------

extern "C" {

// A parallel region: `body` on each of `wanted` threads, or on as many as there are where that is 0.
[[gnu::visibility("default")]] void GOMP_parallel(void (*body)(void*), void* data, unsigned wanted, unsigned flags) {
  if (place.team == nullptr) {
    static auto* const next = hidden<void(void (*)(void*), void*, unsigned, unsigned)>("GOMP_parallel");
    next(body, data, wanted, flags);
    return;
  }
  const int most = place.is_in_region ? 1 : place.threads;
  const int members = wanted == 0 ? most : static_cast<int>(std::min<unsigned>(wanted, most));
  Team* const team = place.team;
  const int threads = place.threads;
  if (members == 1) {
    run_at({team, threads, 0, 1, true}, body, data);
    return;
  }
  region_count.fetch_add(1, std::memory_order_relaxed);
  team->gather(members, [&](int member) { run_at({team, threads, member, members, true}, body, data); });
}

[[gnu::visibility("default")]] void GOMP_barrier() {
  if (place.team == nullptr) {
    static auto* const next = hidden<void()>("GOMP_barrier");
    next();
  } else if (place.members > 1) {
    place.team->meet(place.members);
  }
}

[[gnu::visibility("default")]] int omp_get_max_threads() {
  if (place.team == nullptr) {
    static auto* const next = hidden<int()>("omp_get_max_threads");
    return next();
  }
  return place.threads;
}

[[gnu::visibility("default")]] int omp_get_num_threads() {
  if (place.team == nullptr) {
    static auto* const next = hidden<int()>("omp_get_num_threads");
    return next();
  }
  return place.members;
}

[[gnu::visibility("default")]] int omp_get_thread_num() {
  if (place.team == nullptr) {
    static auto* const next = hidden<int()>("omp_get_thread_num");
    return next();
  }
  return place.member;
}

[[gnu::visibility("default")]] int omp_in_parallel() {
  if (place.team == nullptr) {
    static auto* const next = hidden<int()>("omp_in_parallel");
    return next();
  }
  return place.members > 1 ? 1 : 0;
}

}  // extern "C"

}  // namespace duel

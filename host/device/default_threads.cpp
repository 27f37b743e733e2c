#include "host/device/default_threads.h"

#include "host/device/cgroup.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>

namespace duel {

namespace {

int processors_of_process() {
  // A set of the usual size holds 1,024 processors; on a larger machine the kernel refuses it.
  for (int most = CPU_SETSIZE; most <= 1 << 16; most *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(most), [](cpu_set_t* s) { CPU_FREE(s); });
    if (sched_getaffinity(0, CPU_ALLOC_SIZE(most), set.get()) == 0) {
      return CPU_COUNT_S(CPU_ALLOC_SIZE(most), set.get());
    }
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

int first_number(std::string_view text) {  // 0: none that makes sense
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return 0;
  }
  text.remove_prefix(begin);
  int number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool ends_well = rest == text.data() + text.size() || *rest == ',' || *rest == ' ' || *rest == '\t';
  return failure == std::errc() && ends_well && number >= 1 && number <= 4096 ? number : 0;
}

}  // namespace

DefaultThreads default_threads() {
  return default_threads(processors_of_process(), std::getenv("OMP_NUM_THREADS"), "/");
}

DefaultThreads default_threads(int processors, const char* omp_num_threads, const std::filesystem::path& root) {
  DefaultThreads result{std::max(processors, 1), ""};
  result.why = fmt::format("the processors that this process may use: {}", result.threads);
  if (const std::optional<CpuQuota> quota = cpu_quota(root)) {
    // A quota a hair above a whole number is that number: 100,001 of 100,000 microseconds.
    const int whole = static_cast<int>(std::min(4096.0, std::max(1.0, std::ceil(quota->processors - 0.01))));
    if (whole < result.threads) {
      result = {whole, fmt::format("the CPU quota of {:.2f} processors in {}", quota->processors, quota->file)};
    }
  }
  const int wanted = omp_num_threads == nullptr ? 0 : first_number(omp_num_threads);
  if (wanted > 0 && wanted < result.threads) {
    result = {wanted, fmt::format("OMP_NUM_THREADS={}", omp_num_threads)};
  }
  return result;
}

}  // namespace duel

#include "kernels/cpu/context.h"

#include "kernels/check.h"
#include "kernels/choice_store.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/team.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace duel {

namespace {

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown";
}

#if defined(__x86_64__)
std::string cpu_features() {
  std::string text;
  const auto add = [&text](const char* name, bool has) {
    if (has) {
      text.append(text.empty() ? "" : " ").append(name);
    }
  };
  add("avx2", __builtin_cpu_supports("avx2"));
  add("fma", __builtin_cpu_supports("fma"));
  add("avx512f", __builtin_cpu_supports("avx512f"));
  add("avx512vnni", __builtin_cpu_supports("avx512vnni"));
  add("avx512bf16", __builtin_cpu_supports("avx512bf16"));
  return text;
}

// The kernels were compiled for one CPU; on a lesser one they would end in an illegal instruction.
void check_instructions() {
#ifdef __AVX512F__
  const bool fits = __builtin_cpu_supports("avx512f");
#elif defined(__AVX2__)
  const bool fits = __builtin_cpu_supports("avx2");
#else
  const bool fits = true;
#endif
  if (!fits) {
    throw_error(Error::Kind::device,
                "this binary was built for -march=" DUEL_CPU_ARCH
                ", but this CPU only has: {}; rebuild here, or with "
                "cmake --preset portable",
                cpu_features());
  }
}
#else
std::string cpu_features() {
  return "baseline";
}
void check_instructions() {}
#endif

}  // namespace

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Arrays of a huge page and more begin on one and ask for them: a step walks through hundreds of MiB, columns of the
// weights among them, and misses the TLB on pages of 4 KiB.
void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kLine = 64;
  const bool is_huge = bytes >= kHugePage;
  // More than a pointer difference holds is not even asked for: AddressSanitizer ends the process that does.
  const bool is_possible = bytes <= static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
  void* data = nullptr;
  if (!is_possible || posix_memalign(&data, is_huge ? kHugePage : kLine, std::max<std::size_t>(bytes, 1)) != 0) {
    throw_error(Error::Kind::device, "cpu: {} MiB of memory could not be had; a smaller batch needs less", bytes >> 20);
  }
  if (is_huge) {
    madvise(data, bytes, MADV_HUGEPAGE);  // a wish: where the kernel has none to give, small pages serve
  }
  return data;
}

void CpuContext::Free::operator()(void* data) const {
  std::free(data);
}

CpuContext::CpuContext(int threads, KernelChoice choice)
    : threads_(threads > 0 ? threads : available_processors()),
      choice_(choice),
      partials_(allocate_aligned(kPartialBytes)) {
  check_instructions();
  team_ = std::make_unique<Team>(threads_);
  onednn_ = std::make_unique<OnednnCache>();
}

CpuContext::~CpuContext() = default;

void CpuContext::reserve_scratch(std::size_t bytes) {
  if (bytes > scratch_bytes_) {
    scratch_.reset();
    scratch_bytes_ = std::max(bytes, kHugePage);  // transforms write to 36 places at once
    scratch_.reset(allocate_aligned(scratch_bytes_));
  }
}

std::size_t CpuContext::workspace_bytes() const {
  return scratch_bytes_ + kPartialBytes + onednn_->owned_bytes();
}

// --- The device side of Context (kernels/context.cpp) on the CPU ------------------------------------------------

std::unique_ptr<CpuContext, void (*)(CpuContext*)> make_cpu_context(int threads, KernelChoice choice) {
  return {new CpuContext(threads, choice), [](CpuContext* cpu) { delete cpu; }};
}

std::string device_name(CpuContext& cpu) {
  return fmt::format("cpu ({} thread{})", cpu.threads(), cpu.threads() == 1 ? "" : "s");
}

bool device_supports_tf32(CpuContext&) {
  return false;
}

std::optional<std::size_t> device_free_bytes(CpuContext&) {
  return std::nullopt;
}

bool device_supports_bf16(CpuContext&) {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

std::vector<std::pair<std::string, std::string>> device_description(CpuContext& cpu) {
  return {{"CPU", cpu_model()},
          {"CPU features", cpu_features()},
          {"CPU threads", std::to_string(cpu.threads())},
          {"CPU kernels built for", DUEL_CPU_ARCH},
          {"bf16 on the CPU", device_supports_bf16(cpu) ? "yes (AVX512-BF16)" : "no: this CPU lacks AVX512-BF16"},
          {"oneDNN", onednn_version()}};
}

void device_synchronize(CpuContext&) {}  // operators are done when they return
std::size_t device_workspace_bytes(CpuContext& cpu) {
  return cpu.workspace_bytes();
}
std::vector<KernelDecision> device_decisions(CpuContext&) {
  return {};
}

int device_most_lanes(CpuContext&) {
  return 1;  // an operator takes all threads
}
void device_open_lanes(CpuContext&, int, int) {}
void device_select_lane(CpuContext&, int) {}
void device_set_mark(CpuContext&, int) {}
void device_await_mark(CpuContext&, int) {}

void* device_stream(CpuContext&) {
  return nullptr;
}

void* device_allocate(CpuContext&, std::size_t bytes) {
  return allocate_aligned(bytes);
}
void device_release(CpuContext&, void* data) {
  std::free(data);
}
void device_upload(CpuContext&, void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}
void device_download(CpuContext&, void* to, const void* from, std::size_t bytes) {
  std::memcpy(to, from, bytes);
}
void device_clear(CpuContext&, void* data, std::size_t bytes) {
  std::memset(data, 0, bytes);
}

}  // namespace duel

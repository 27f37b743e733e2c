// A step allocates nothing, and memory stays flat however long a run is.
//
// Allocations are counted by replacing operator new for the whole process. oneDNN makes a few small ones of its own in
// each call (its table of arguments); an array of the program would be a kilobyte or more.
#include "host/train/trainer.h"
#include "kernels/address_sanitizer.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>

namespace {

std::atomic<bool> counting = false;
std::atomic<int> large_allocations = 0;

constexpr std::size_t kLarge = 1024;

}  // namespace

// Under a sanitizer, which has its own operator new, there is nothing to count.
#if !DUEL_ASAN
// Not inlined: g++ would take what it sees of one of them for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (counting && bytes >= kLarge) {
    ++large_allocations;
  }
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace duel::test {
namespace {

std::int64_t resident_kib() {
  std::ifstream file("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

TEST(StepMemory, AStepAllocatesNothingAndTenThousandStepsStayFlat) {
#if DUEL_ASAN
  GTEST_SKIP() << "AddressSanitizer keeps freed memory on purpose";
#endif
  const Options options = small_options("steady");
  const Data dataset = small_dataset(options);
  Context context = Context::cpu(1);  // ten thousand small steps are quicker alone
  Trainer trainer(context, options, dataset);
  for (int step = 0; step < 100; ++step) {
    trainer.step();
    trainer.read_metrics();
  }
  const std::int64_t before = resident_kib();
  counting = true;
  for (int step = 0; step < 10000; ++step) {
    trainer.step();
    trainer.read_metrics();
  }
  counting = false;
  EXPECT_EQ(large_allocations, 0);
  EXPECT_LT(resident_kib() - before, 512);
}

}  // namespace
}  // namespace duel::test

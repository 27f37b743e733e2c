#include "emulator/shared_memory.h"

#include "emulator/block.h"
#include "emulator/error.h"
#include "emulator/sanitizers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace duel::emulator {

void* SharedMemory::allocate(std::size_t bytes, std::size_t align) {
  void* memory = nullptr;
#if DUEL_EMULATOR_TSAN
  // Fresh pages, of which ThreadSanitizer knows nothing: an earlier block's use of an address is no race with a
  // later's.
  memory = mmap(nullptr, bytes + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    memory = nullptr;
  }
#else
  if (posix_memalign(&memory, std::max<std::size_t>(16, 2 * align), bytes + align) != 0) {
    memory = nullptr;
  }
#endif
  if (memory == nullptr) {
    throw Error("no memory for %zu bytes of shared memory", bytes);
  }
  char* base = static_cast<char*>(memory);
  fill_undefined(base + align, bytes);
#if DUEL_EMULATOR_ASAN
  __asan_poison_memory_region(base, align);
#endif
  allocations_.push_back({base, align, bytes});
  return base + align;
}

void SharedMemory::undefine() {
  for (const Allocation& allocation : allocations_) {
    fill_undefined(allocation.base + allocation.align, allocation.bytes);
#if DUEL_EMULATOR_ASAN
    __asan_poison_memory_region(allocation.base, allocation.align + allocation.bytes);
#endif
  }
}

void SharedMemory::release() {
  for (const Allocation& allocation : allocations_) {
#if DUEL_EMULATOR_ASAN
    __asan_unpoison_memory_region(allocation.base, allocation.align + allocation.bytes);
#endif
#if DUEL_EMULATOR_TSAN
    munmap(allocation.base, allocation.align + allocation.bytes);
#else
    std::free(allocation.base);
#endif
  }
  allocations_.clear();
}

bool SharedMemory::contains(const void* data, std::size_t bytes) const {
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  return std::any_of(allocations_.begin(), allocations_.end(), [&](const Allocation& allocation) {
    const auto begin = reinterpret_cast<std::uintptr_t>(allocation.base) + allocation.align;
    return address >= begin && address + bytes <= begin + allocation.bytes;
  });
}

std::size_t SharedMemory::bytes() const {
  std::size_t sum = 0;
  for (const Allocation& allocation : allocations_) {
    sum += allocation.bytes;
  }
  return sum;
}

void* shared_static(SharedSlot& slot, std::size_t bytes, std::size_t align) {
  const Quiet quiet;
  Block& block = Block::current();
  if (slot.block != block.serial()) {
    slot.data = block.static_array(slot, bytes, align);
    slot.block = block.serial();
  }
  return slot.data;
}

void* shared_dynamic(std::size_t align) {
  const Quiet quiet;
  return Block::current().dynamic_shared(align);
}

}  // namespace duel::emulator

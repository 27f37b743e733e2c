// The shared arrays of the block that runs: fresh for each block, full of NaN, of exact size between redzones, and
// exactly as aligned as CUDA promises. An address that happened to be better aligned would hide a missing alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel::emulator {

class SharedMemory {
public:
  static constexpr std::size_t kMostStatic = std::size_t{48} << 10;  // bytes a block, as nvcc has it
  static constexpr std::size_t kMost = std::size_t{227} << 10;       // with what the launch asks for, as on sm_90

  SharedMemory() = default;
  ~SharedMemory() { release(); }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  void* allocate(std::size_t bytes, std::size_t align);
  void undefine();  // nobody may read what is there, nor write
  void release();
  bool contains(const void* data, std::size_t bytes) const;
  std::size_t bytes() const;

private:
  struct Allocation {
    char* base;
    std::size_t align, bytes;  // the array is `align` bytes into it
  };
  std::vector<Allocation> allocations_;
};

// What kernels/cuda/platform.cuh declares for every shared array: where it is in the block that asked last.
struct SharedSlot {
  std::uint64_t block = 0;
  void* data = nullptr;
};

void* shared_static(SharedSlot& slot, std::size_t bytes, std::size_t align);

template <class T, std::size_t Align = alignof(T)>
T& shared_static(SharedSlot& slot) {
  static_assert(Align >= alignof(T) && sizeof(T) <= SharedMemory::kMostStatic);
  return *static_cast<T*>(shared_static(slot, sizeof(T), Align));
}

// The bytes that the launch asked for.
void* shared_dynamic(std::size_t align);

}  // namespace duel::emulator

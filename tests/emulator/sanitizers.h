// What the emulator tells the sanitizers it is compiled with: where the stacks are, which memory a kernel has not yet
// written, which accesses are the emulator's own, and what CUDA orders. Without sanitizers all of it is nothing.
#pragma once

#include <cstddef>
#include <cstring>

#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define DUEL_EMULATOR_ASAN 1
#include <sanitizer/asan_interface.h>
#else
#define DUEL_EMULATOR_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define DUEL_EMULATOR_TSAN 1
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#else
#define DUEL_EMULATOR_TSAN 0
#endif

#if __has_feature(memory_sanitizer)
#define DUEL_EMULATOR_MSAN 1
#include <sanitizer/msan_interface.h>
#else
#define DUEL_EMULATOR_MSAN 0
#endif

#if DUEL_EMULATOR_ASAN || DUEL_EMULATOR_TSAN || DUEL_EMULATOR_MSAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace duel::emulator {

inline constexpr bool kIsSanitized = DUEL_EMULATOR_ASAN || DUEL_EMULATOR_TSAN || DUEL_EMULATOR_MSAN;

// For its lifetime, what is read and written is the emulator's business and no data race of the kernel.
class Quiet {
public:
#if DUEL_EMULATOR_TSAN
  Quiet() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~Quiet() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  Quiet() {}  // not defaulted, or compilers would call the variable unused
#endif
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
};

// Something that orders memory: whoever passes `acquire` sees what was written before a `release` of the same one.
class SyncPoint {
public:
#if DUEL_EMULATOR_TSAN
  void release() {
    __tsan_release(&address_);
  }
  void acquire() {
    __tsan_acquire(&address_);
  }
#else
  void release() {}
  void acquire() {}
#endif

private:
  [[maybe_unused]] char address_ = 0;
};

// Memory that nobody has written: 0xFF is NaN in every float format and -1 as an integer.
inline void fill_undefined(void* data, std::size_t bytes) {
  std::memset(data, 0xFF, bytes);
#if DUEL_EMULATOR_MSAN
  __msan_allocated_memory(data, bytes);
#endif
}

}  // namespace duel::emulator

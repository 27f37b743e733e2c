// A fiber: a stack of its own, left and entered again by hand. One runs at a time, and the one that runs chooses the
// next, so a switch costs a few nanoseconds where a thread of the operating system costs microseconds.
#pragma once

#include "emulator/sanitizers.h"

#include <cstddef>
#include <memory>
#include <vector>

#if !defined(__x86_64__) || defined(DUEL_EMULATOR_UCONTEXT)
#define DUEL_EMULATOR_USES_UCONTEXT 1
#include <ucontext.h>
#else
#define DUEL_EMULATOR_USES_UCONTEXT 0
#endif

namespace duel::emulator {

class Fiber {
public:
  // The first entry calls `body`, which must not return.
  explicit Fiber(void (*body)());
  // The stack that the caller is on.
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Leaves `from`, which is running, for `to`; returns when something enters `from` again.
  static void enter(Fiber& from, Fiber& to);
  // To be called first by `body`.
  static void begin();
  // All that it has done is before the point, although it has not come to release it.
  void release(SyncPoint& point);

private:
  bool owns_stack_;
  char* stack_ = nullptr;
  std::size_t stack_bytes_ = 0;
#if DUEL_EMULATOR_USES_UCONTEXT
  ucontext_t context_;
#else
  void* stack_pointer_ = nullptr;  // while it is not running
#endif
  [[maybe_unused]] void* fake_stack_ = nullptr;  // AddressSanitizer's
  [[maybe_unused]] void* tsan_fiber_ = nullptr;  // ThreadSanitizer's
};

// Fibers of one body, kept from launch to launch.
class FiberPool {
public:
  explicit FiberPool(void (*body)()) : body_(body) {}

  Fiber& take();  // any that is idle
  void give_back(Fiber& fiber) { idle_.push_back(&fiber); }
  Fiber& at(std::size_t place);  // always the same, for those who use no idle ones
  // They will never be entered again, although their bodies have not ended.
  void drop_all(SyncPoint& end);

private:
  void (*body_)();
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
};

}  // namespace duel::emulator

#include "emulator/fiber.h"

#include "emulator/error.h"
#include "emulator/sanitizers.h"

#include <pthread.h>
#include <sys/mman.h>

#include <atomic>

#if !DUEL_EMULATOR_USES_UCONTEXT

// void duel_emulator_switch(void** from, void* to): the registers that a call preserves (System V ABI) go on the stack,
// the stack pointer to *from, and the same the other way for `to`. It jumps back rather than returns: the processor
// would predict the return to where the other stack called from, and always be wrong (9 ns instead of 3).
asm(R"(
  .text
  .globl duel_emulator_switch
  .hidden duel_emulator_switch
  .type duel_emulator_switch, @function
duel_emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
  .size duel_emulator_switch, . - duel_emulator_switch
)");

extern "C" void duel_emulator_switch(void** from, void* to);

#endif

namespace duel::emulator {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kStackBytes = (kIsSanitized ? 256 : 64) << 10;  // sanitizers want several times the stack

[[maybe_unused]] constexpr unsigned kOrdersNothing = 1;  // a flag of __tsan_switch_to_fiber

// Tops at the same offset in every stack would compete for the same lines of the cache.
std::size_t next_offset() {
  static std::atomic<unsigned> count{0};
  return count.fetch_add(1) * 448 % 16384 / 16 * 16;
}

}  // namespace

Fiber::Fiber(void (*body)()) : owns_stack_(true), stack_bytes_(kStackBytes) {
  void* memory =
      mmap(nullptr, stack_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw Error("no memory for the stack of one more thread");
  }
  mprotect(memory, kPage, PROT_NONE);  // a kernel with too large arrays of its own ends here, not in other memory
  stack_ = static_cast<char*>(memory);
  const std::size_t usable = stack_bytes_ - next_offset();
#if DUEL_EMULATOR_USES_UCONTEXT
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = usable;
  context_.uc_link = nullptr;
  makecontext(&context_, body, 0);
#else
  void** top = reinterpret_cast<void**>(stack_ + usable);
  *--top = nullptr;  // in place of a return address: the ABI wants 8 bytes on an aligned stack at a function's entry
  *--top = reinterpret_cast<void*>(body);
  for (int preserved_register = 0; preserved_register < 6; ++preserved_register) {
    *--top = nullptr;
  }
  stack_pointer_ = top;
#endif
#if DUEL_EMULATOR_TSAN
  tsan_fiber_ = __tsan_create_fiber(0);
#endif
}

Fiber::Fiber() : owns_stack_(false) {
#if DUEL_EMULATOR_ASAN
  pthread_attr_t attributes;
  void* lowest = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &lowest, &stack_bytes_);
  pthread_attr_destroy(&attributes);
  stack_ = static_cast<char*>(lowest);
#endif
#if DUEL_EMULATOR_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::~Fiber() {
  if (!owns_stack_) {
    return;
  }
#if DUEL_EMULATOR_ASAN
  __asan_unpoison_memory_region(stack_, stack_bytes_);  // or the next use of these addresses would be an error
#endif
  // ThreadSanitizer's own fiber stays: it would complain that it ends inside of a Quiet.
  munmap(stack_, stack_bytes_);
}

void Fiber::enter(Fiber& from, Fiber& to) {
#if DUEL_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.stack_, to.stack_bytes_);
#endif
#if DUEL_EMULATOR_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, kOrdersNothing);
#endif
#if DUEL_EMULATOR_USES_UCONTEXT
  swapcontext(&from.context_, &to.context_);
#else
  duel_emulator_switch(&from.stack_pointer_, to.stack_pointer_);
#endif
#if DUEL_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(from.fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::begin() {
#if DUEL_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

void Fiber::release([[maybe_unused]] SyncPoint& point) {
#if DUEL_EMULATOR_TSAN  // to ThreadSanitizer we are whoever we say
  void* self = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_fiber_, kOrdersNothing);
  point.release();
  __tsan_switch_to_fiber(self, kOrdersNothing);
#endif
}

Fiber& FiberPool::take() {
  if (idle_.empty()) {
    fibers_.push_back(std::make_unique<Fiber>(body_));
    return *fibers_.back();
  }
  Fiber& fiber = *idle_.back();
  idle_.pop_back();
  return fiber;
}

Fiber& FiberPool::at(std::size_t place) {
  while (fibers_.size() <= place) {
    fibers_.push_back(std::make_unique<Fiber>(body_));
  }
  return *fibers_[place];
}

void FiberPool::drop_all(SyncPoint& end) {
  for (const std::unique_ptr<Fiber>& fiber : fibers_) {
    fiber->release(end);
  }
  idle_.clear();
  fibers_.clear();
}

}  // namespace duel::emulator

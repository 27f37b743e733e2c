// emu.hpp - run CUDA kernels on the CPU: one fiber per CUDA thread, blocks spread over OS threads.
// Compiled with g++/clang++ (no CUDA compiler, no GPU); needs only the CUDA toolkit's host headers.
#pragma once
#if defined(__CUDACC__)
#error "emu.hpp is the host side; nvcc takes the other branch of dev.hpp"
#endif
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <atomic>
#include <memory>
#include <mutex>
#include <cstdarg>
#include <exception>
#include <functional>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>
#include <sys/mman.h>
#include <cuda_runtime.h>   // host half only: dim3, float4, make_float4, cudaStream_t; __global__ etc. expand to nothing
#include <cuda_fp16.h>
#include <cuda_bf16.h>

#if !defined(__has_feature)
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define EMU_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define EMU_TSAN 1
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
void AnnotateIgnoreReadsBegin(const char*, int);
void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int);
void AnnotateIgnoreWritesEnd(const char*, int);
}
#endif
#if __has_feature(memory_sanitizer)
#define EMU_MSAN 1
#include <sanitizer/msan_interface.h>
#endif

namespace duel::emulator {

// ---------------------------------------------------------------- options
enum class Order { forward, reverse, random };
struct Options {
  Order order = Order::forward;
  uint64_t seed = 1;
  int workers = 1;            // OS threads; blocks are spread over them
  bool strict = true;         // exited thread + waiting thread, or two call sites of one barrier, is an error
  size_t stack = 0;           // 0: default
};
inline Options& options() {
  static Options o = [] {
    Options r;
    if (const char* s = getenv("EMU_ORDER")) r.order = *s == 'r' && s[1] == 'a' ? Order::random : *s == 'r' ? Order::reverse : Order::forward;
    if (const char* s = getenv("EMU_SEED")) r.seed = strtoull(s, nullptr, 0);
    if (const char* s = getenv("EMU_WORKERS")) r.workers = atoi(s);
    return r;
  }();
  return o;
}
struct Error : std::exception {   // a fixed buffer: std::string lives in an uninstrumented library (MSan)
  char msg[512];
  explicit Error(const char* m) { strncpy(msg, m, sizeof msg - 1); msg[sizeof msg - 1] = 0; }
  const char* what() const noexcept override { return msg; }
};
struct Loc { const char* file; int line; };
#define EMU_LOC const char *emu_f = __builtin_FILE(), int emu_l = __builtin_LINE()
#define EMU_LOC_NODEF const char *emu_f, int emu_l
#define EMU_HERE ::duel::emulator::Loc{emu_f, emu_l}

struct Quiet {  // the emulator's own bookkeeping is not part of the program under test (TSan)
#if EMU_TSAN
  Quiet() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~Quiet() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
#else
  Quiet() {}
#endif
};
struct Loud {   // the opposite, for memory traffic done on a kernel's behalf
#if EMU_TSAN
  Loud() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
  ~Loud() { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
#else
  Loud() {}
#endif
};
inline void hb_release([[maybe_unused]] void* p) {
#if EMU_TSAN
  __tsan_release(p);
#endif
}
inline void hb_acquire([[maybe_unused]] void* p) {
#if EMU_TSAN
  __tsan_acquire(p);
#endif
}
inline void poison(void* p, size_t n) {  // all-ones: NaN as float, double, half and bf16; -1 as int
  std::memset(p, 0xff, n);
#if EMU_MSAN
  __msan_allocated_memory(p, n);
#endif
}

// ---------------------------------------------------------------- fibers (x86-64 SysV; callee-saved registers only)
__attribute__((naked, noinline)) inline void switch_stack(void** /*save*/, void* /*to*/) {
  asm volatile(
      "pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
      "movq %rsp,(%rdi)\n movq %rsi,%rsp\n"
      "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n popq %rcx\n jmpq *%rcx\n");   // jmp, not ret: the return predictor would always miss
}

enum class St : uint8_t { run, barrier, warp, poll, done };
struct Fiber;
struct CopyOp { void* dst; const void* src; uint32_t bytes, src_bytes; };
struct CopyState { std::vector<CopyOp> open; std::vector<std::vector<CopyOp>> groups; };   // cp.async: issued; committed, oldest first
struct Thread {
  uint3 idx{};
  int lin = 0;
  Fiber* fiber = nullptr;       // null until started
  St st = St::run;
  Loc loc{};
  uint32_t mask = 0;            // warp collective in flight
  const void *op = nullptr, *in = nullptr;
  void* out = nullptr;
  bool (*poll)(void*) = nullptr;
  void* poll_arg = nullptr;
  std::unique_ptr<CopyState> cp;
};
struct Worker;
struct Fiber {
  void* sp = nullptr;
  char* stack = nullptr;
  size_t size = 0;
  Thread* assigned = nullptr;
  void* fake = nullptr;
  void* tsan = nullptr;
};
struct Barrier {
  int arrived = 0;
  uint32_t gen = 0;
  uint32_t wait[32] = {};                         // waiting lanes by warp
  Loc loc{};
  int red_or = 0, red_and = 1, red_count = 0;     // __syncthreads_or/and/count
  int res_or = 0, res_and = 0, res_count = 0;
  char hb[2];
};
struct SharedSlot { uint64_t serial = 0; void* p = nullptr; };

struct Launch {  // one kernel launch, shared by the workers
  dim3 grid, block;
  size_t smem = 0;
  void (*call)(void*) = nullptr;
  void* args = nullptr;
  std::atomic<uint64_t> next{0};
  uint64_t nblocks = 0;
  std::vector<uint64_t> order;
  char error[480] = {};
  std::atomic<bool> failed{false};
  char hb_start, hb_end;
};

inline std::atomic<uint64_t> g_serial{1};
struct Counters { uint64_t threads = 0, switches = 0, barriers = 0, collectives = 0; };

struct Worker {
  Launch* L = nullptr;
  Fiber main;
  Fiber* cur = nullptr;
  Thread* thr = nullptr;
  std::vector<Fiber*> pool, idle;
  std::vector<Thread> threads;
  uint32_t run[32] = {}, warps = 0;   // runnable lanes by warp; warps that have any
  uint8_t prio[32] = {};              // random order, greedy flavour: the runnable warp with the lowest number goes first
  bool greedy = false;
  Barrier bars[16];
  char warp_hb[32][2];
  uint32_t warp_gen[32], warp_live[32], warp_wait[32];
  int live = 0;
  uint64_t serial = 0, rng = 1;
  char error[400] = {};
  std::vector<std::pair<void*, size_t>> smem;    // this block's shared arrays
  void* dyn = nullptr;
  std::vector<std::function<void()>> async;   // TMA copies in flight
  bool tainted = false;
  Counters ctr;
  unsigned set = 0;            // TSan: which set of fibers this block uses

  uint64_t rnd() { rng ^= rng << 13; rng ^= rng >> 7; rng ^= rng << 17; return rng; }
  ~Worker() { drop(); }
  void drop() {
    for (Fiber* f : pool) {
#if EMU_ASAN
      __asan_unpoison_memory_region(f->stack, f->size);
#endif
#if EMU_TSAN
      if (f->tsan && !tainted) __tsan_destroy_fiber(f->tsan);   // an abandoned one dies with its ignores on: TSan would stop
#endif
      munmap(f->stack, f->size);
      delete f;
    }
    pool.clear(); idle.clear(); tainted = false;
  }
};
inline constinit thread_local Worker* tls_w = nullptr;

}  // namespace duel::emulator

inline constinit thread_local uint3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0};
struct EmuDim { unsigned x, y, z; operator dim3() const { return dim3(x, y, z); } };
inline constinit thread_local EmuDim blockDim{1, 1, 1}, gridDim{1, 1, 1};
inline constexpr int warpSize = 32;

namespace duel::emulator {

inline void set_current(Worker& w, Thread* t) { w.thr = t; threadIdx = t->idx; }

inline void switch_to(Worker& w, Fiber* to, [[maybe_unused]] bool dying = false) {
  Fiber* from = w.cur;
  w.cur = to;
  ++w.ctr.switches;
#if EMU_ASAN
  __sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
#endif
#if EMU_TSAN
  __tsan_switch_to_fiber(to->tsan, 1 /* no_sync: a switch orders nothing */);
#endif
  switch_stack(&from->sp, to->sp);
#if EMU_ASAN
  __sanitizer_finish_switch_fiber(from->fake, nullptr, nullptr);
#endif
}

void fiber_main();

inline Fiber* new_fiber() {
  size_t dflt = 64 << 10;
#if EMU_ASAN || EMU_TSAN || EMU_MSAN
  dflt = 256 << 10;
#endif
  Fiber* f = new Fiber;
  f->size = options().stack ? options().stack : dflt;
  f->stack = static_cast<char*>(mmap(nullptr, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (f->stack == MAP_FAILED) throw Error("emu: no memory for fiber stacks");
  mprotect(f->stack, 4096, PROT_NONE);
  static std::atomic<unsigned> colour{0};                // stagger the tops, or every stack competes for the same cache sets
  void** sp = reinterpret_cast<void**>(f->stack + f->size - (colour.fetch_add(1) * 448u & 16383u & ~15u));
  *--sp = nullptr;                                       // fake return address keeps the ABI alignment
  *--sp = reinterpret_cast<void*>(&fiber_main);
  for (int i = 0; i < 6; ++i) *--sp = nullptr;
  f->sp = sp;
#if EMU_TSAN
  f->tsan = __tsan_create_fiber(0);
#endif
  return f;
}
inline Fiber* get_fiber(Worker& w, [[maybe_unused]] Thread* t) {
#if EMU_TSAN  // one TSan context (and stack) per CUDA thread; two sets so that neighbouring blocks are unordered
  size_t i = size_t(w.set) * w.L->block.x * w.L->block.y * w.L->block.z + t->lin;
  while (w.pool.size() <= i) w.pool.push_back(new_fiber());
  return w.pool[i];
#else
  if (w.idle.empty()) { w.pool.push_back(new_fiber()); return w.pool.back(); }
  Fiber* f = w.idle.back();
  w.idle.pop_back();
  return f;
#endif
}

inline void make_runnable(Worker& w, int wid, uint32_t lanes) { w.run[wid] |= lanes; if (lanes) w.warps |= 1u << wid; }
inline void make_runnable(Worker& w, const Thread& t) { make_runnable(w, t.lin >> 5, 1u << (t.lin & 31)); }
inline int random_bit(Worker& w, uint32_t m) { for (int k = int(w.rnd() % unsigned(__builtin_popcount(m))); k; --k) m &= m - 1; return __builtin_ctz(m); }
inline void new_priorities(Worker& w) { for (int i = 0; i < 32; ++i) w.prio[i] = uint8_t(i); for (int i = 32; i > 1; --i) std::swap(w.prio[i - 1], w.prio[w.rnd() % unsigned(i)]); }
inline Thread* pick(Worker& w) {                // next thread to run, or null
  if (!w.warps) return nullptr;
  int wid, lane;
  switch (options().order) {
    case Order::forward: wid = __builtin_ctz(w.warps); lane = __builtin_ctz(w.run[wid]); break;
    case Order::reverse: wid = 31 - __builtin_clz(w.warps); lane = 31 - __builtin_clz(w.run[wid]); break;
    default:   // greedy: one warp runs as far ahead as it can (finds a missing second barrier); otherwise uniform
      if (w.greedy) { if (w.rnd() % 256 == 0) new_priorities(w); wid = __builtin_ctz(w.warps); for (uint32_t m = w.warps; m; m &= m - 1) { int i = __builtin_ctz(m); if (w.prio[i] < w.prio[wid]) wid = i; } }
      else wid = random_bit(w, w.warps);
      lane = random_bit(w, w.run[wid]);
  }
  if (!(w.run[wid] &= ~(1u << lane))) w.warps &= ~(1u << wid);
  return &w.threads[size_t(wid * 32 + lane)];
}
inline void go_to(Worker& w, Thread* n) {      // leave the current fiber for thread n (or the scheduler)
  if (!n) { switch_to(w, &w.main); return; }
  if (!n->fiber) { n->fiber = get_fiber(w, n); n->fiber->assigned = n; }
  switch_to(w, n->fiber);
}
inline void suspend(Worker& w) {               // the current thread waits; returns when it is resumed
  Thread* me = w.thr;
  Thread* n = pick(w);
  if (n != me) go_to(w, n);
  set_current(w, me);
  me->st = St::run;
}
inline const char* base_name(const char* f) { const char* s = f ? strrchr(f, '/') : nullptr; return s ? s + 1 : f ? f : "?"; }
#define EMU_TH "thread (%u,%u,%u)"
#define EMU_TA(t) (t).idx.x, (t).idx.y, (t).idx.z
[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(Worker& w, const char* fmt, ...) {   // on a fiber: give up this block
  va_list ap; va_start(ap, fmt); vsnprintf(w.error, sizeof w.error, fmt, ap); va_end(ap);
  w.tainted = true;
  switch_to(w, &w.main);
  abort();
}
inline void barrier_release(Worker& w, Barrier& b) {
  ++w.ctr.barriers;
  b.res_or = b.red_or; b.res_and = b.red_and; b.res_count = b.red_count;
  b.red_or = 0; b.red_and = 1; b.red_count = 0;
  b.arrived = 0;
  ++b.gen;
  for (int i = 0; i < 32; ++i) { make_runnable(w, i, b.wait[i]); b.wait[i] = 0; }
}
inline void finish_thread(Worker& w, Thread* t) {
  t->st = St::done;
  w.warp_live[t->lin >> 5] &= ~(1u << (t->lin & 31));
  if (--w.live == 0) return;
  Barrier& b = w.bars[0];
  if (!b.arrived) return;
  if (options().strict) fail(w, EMU_TH " exited while others wait at the barrier at %s:%d", EMU_TA(*t), base_name(b.loc.file), b.loc.line);
  if (b.arrived == w.live) barrier_release(w, b);   // hardware: exited threads count as arrived
}

inline void fiber_main() {
#if EMU_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  for (;;) {
    Worker* wp;
    Launch* L;
    Fiber* self;
    Thread* t;
    { Quiet q; wp = tls_w; L = wp->L; self = wp->cur; t = self->assigned; set_current(*wp, t); }
    hb_acquire(&L->hb_start);
    L->call(L->args);
    hb_release(&L->hb_end);
    Quiet q;
    Worker& w = *wp;
    finish_thread(w, t);
    Thread* n = pick(w);
#if EMU_TSAN
    go_to(w, n);
#else
    if (n && !n->fiber) { self->assigned = n; n->fiber = self; continue; }   // reuse this stack: no switch at all
    w.idle.push_back(self);
    go_to(w, n);
#endif
  }
}

// ---------------------------------------------------------------- block barrier
inline Barrier& barrier_wait(int id, int expected, int pred, Loc loc) {   // expected 0: the whole block (__syncthreads)
  Quiet q;
  Worker& w = *tls_w;
  Thread* me = w.thr;
  Barrier& b = w.bars[id];
  if (b.arrived == 0) b.loc = loc;
  else if (options().strict && id == 0 && (b.loc.line != loc.line || strcmp(b.loc.file, loc.file) != 0))
    fail(w, "divergent barrier: some threads at %s:%d, " EMU_TH " at %s:%d", base_name(b.loc.file), b.loc.line, EMU_TA(*me), base_name(loc.file), loc.line);
  if (options().strict && !expected && w.live != int(w.threads.size())) fail(w, "barrier at %s:%d: " EMU_TH " arrives but some threads have exited", base_name(loc.file), loc.line, EMU_TA(*me));
  b.red_or |= pred != 0; b.red_and &= pred != 0; b.red_count += pred != 0;
  uint32_t g = b.gen;
  hb_release(&b.hb[g & 1]);
  me->loc = loc;
  if (++b.arrived == (expected ? expected : w.live)) {
    barrier_release(w, b);
    if (options().order != Order::forward) { make_runnable(w, *me); suspend(w); }
  } else {
    me->st = St::barrier;
    b.wait[me->lin >> 5] |= 1u << (me->lin & 31);
    suspend(w);
  }
  hb_acquire(&b.hb[g & 1]);
  return b;
}

// ---------------------------------------------------------------- warp collectives
// Each lane hands in a pointer to its operands; the last one to arrive computes every lane's result.
struct WarpView {
  uint32_t mask;                 // lanes taking part (named in the mask and alive)
  const void* in[32];
  void* out[32];
};
template <class F>
void warp_collective(uint32_t mask, const void* op, const char* name, const void* in, void* out, Loc loc, bool fence, F&& f) {
  Quiet q;
  Worker& w = *tls_w;
  Thread* me = w.thr;
  uint32_t lane = uint32_t(me->lin & 31);
  int base = me->lin & ~31, wid = me->lin >> 5;
  uint32_t alive = mask & w.warp_live[wid];
  if (!(mask >> lane & 1)) fail(w, "%s at %s:%d: " EMU_TH " is not in its own mask %08x", name, base_name(loc.file), loc.line, EMU_TA(*me), mask);
  if (options().strict && alive != mask) fail(w, "%s at %s:%d: mask %08x names lane %d of warp %d, which has exited or does not exist", name, base_name(loc.file), loc.line, mask, __builtin_ctz(mask & ~alive), wid);
  if (uint32_t o = w.warp_wait[wid] & mask) {               // someone of this group waits already: it must be the same operation
    Thread& t = w.threads[size_t(base + __builtin_ctz(o))];
    if (t.mask != mask || t.op != op || (options().strict && t.loc.line != loc.line))
      fail(w, "warp divergence: " EMU_TH " in %s at %s:%d, " EMU_TH " at %s:%d", EMU_TA(*me), name, base_name(loc.file), loc.line, EMU_TA(t), base_name(t.loc.file), t.loc.line);
  }
  me->mask = mask; me->op = op; me->in = in; me->out = out; me->loc = loc; me->st = St::warp;
  uint32_t g = w.warp_gen[wid];
  if (fence) hb_release(&w.warp_hb[wid][g & 1]);
  w.warp_wait[wid] |= 1u << lane;
  bool all = (w.warp_wait[wid] & alive) == alive;
  WarpView v;
  if (all) {
    v.mask = alive;
    w.warp_wait[wid] &= ~alive;
    for (uint32_t m = alive; m; m &= m - 1) { int l = __builtin_ctz(m); v.in[l] = w.threads[base + l].in; v.out[l] = w.threads[base + l].out; }
  }
  if (all) {
    ++w.ctr.collectives;
    ++w.warp_gen[wid];
    f(v);
    make_runnable(w, wid, alive & ~(1u << lane));
    me->st = St::run;
    if (options().order != Order::forward) { make_runnable(w, *me); suspend(w); }
  } else {
    suspend(w);
  }
  if (fence) hb_acquire(&w.warp_hb[wid][g & 1]);
}
template <class T> inline constexpr char op_tag = 0;

// wait until pred() holds, letting other threads run (mbarrier try_wait loops, spin flags)
template <class P> void wait_until(P pred, Loc loc) {
  Quiet q;
  Worker& w = *tls_w;
  Thread* me = w.thr;
  while (!pred()) {
    me->st = St::poll; me->loc = loc;
    me->poll = [](void* p) { return (*static_cast<P*>(p))(); };
    me->poll_arg = &pred;
    suspend(w);
  }
}

// ---------------------------------------------------------------- shared memory
inline void* block_alloc(Worker& w, size_t n, size_t align) {
  // exactly as aligned as CUDA promises and no more (address = align mod 2 align), so that a missing __align__ shows
  Quiet q;
  if (align < 4) align = 4;
  void* p = nullptr;
#if EMU_TSAN   // fresh pages: resets TSan's shadow, so a later block's use of this memory is not a race with an earlier one's
  p = mmap(nullptr, n + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#else
  if (posix_memalign(&p, std::max<size_t>(16, 2 * align), n + align)) throw Error("emu: out of memory");
#endif
  char* u = static_cast<char*>(p) + align;
  poison(u, n);
#if EMU_ASAN
  __asan_poison_memory_region(p, align);
#endif
  w.smem.emplace_back(p, n + align);
  return u;
}
template <class T, size_t Align = alignof(T)> T& shared_static(SharedSlot& s) {
  Quiet q;
  Worker& w = *tls_w;
  if (s.serial != w.serial) { s.p = block_alloc(w, sizeof(T), Align); s.serial = w.serial; }
  return *static_cast<T*>(s.p);
}
inline void* shared_dynamic(size_t align) {
  Quiet q;
  Worker& w = *tls_w;
  if (!w.dyn) w.dyn = block_alloc(w, w.L->smem, align);
  return w.dyn;
}
inline size_t shared_dynamic_size() { return tls_w->L->smem; }

// ---------------------------------------------------------------- running blocks
inline void run_block(Worker& w, uint64_t b) {
  Launch& L = *w.L;
  blockIdx = {unsigned(b % L.grid.x), unsigned(b / L.grid.x % L.grid.y), unsigned(b / L.grid.x / L.grid.y)};
  size_t n = size_t(L.block.x) * L.block.y * L.block.z;
  w.serial = g_serial.fetch_add(1, std::memory_order_relaxed);
  w.set ^= 1;
  w.live = int(n);
  if (w.threads.size() != n) w.threads.resize(n);
  uint3 id{0, 0, 0};
  for (size_t i = 0; i < n; ++i) {
    Thread& t = w.threads[i];
    t.idx = id; t.lin = int(i); t.st = St::run; t.fiber = nullptr;
    if (t.cp) { t.cp->open.clear(); t.cp->groups.clear(); }
    if (++id.x == L.block.x) { id.x = 0; if (++id.y == L.block.y) { id.y = 0; ++id.z; } }
  }
  w.warps = 0;
  for (size_t i = 0; i < 32; ++i) { w.run[i] = 0; w.warp_wait[i] = 0; w.warp_live[i] = i * 32 + 32 <= n ? ~0u : i * 32 < n ? (1u << (n - i * 32)) - 1 : 0; make_runnable(w, int(i), w.warp_live[i]); }
  if (options().order == Order::random) { w.greedy = w.rnd() >> 7 & 1; new_priorities(w); }
  w.ctr.threads += n;
  for (Barrier& x : w.bars) { x.arrived = 0; x.red_or = 0; x.red_and = 1; x.red_count = 0; memset(x.wait, 0, sizeof x.wait); }
  w.error[0] = 0;
  w.async.clear();
  w.dyn = nullptr;
  hb_release(&L.hb_start);
  while (w.live && !w.error[0]) {
    Thread* t = pick(w);
    if (!t) {                                                // nothing runnable: pollers, or a deadlock
      bool any = false;
      if (!w.async.empty()) {                                // let one asynchronous copy land
        size_t k = options().order == Order::forward ? 0 : options().order == Order::reverse ? w.async.size() - 1 : size_t(w.rnd() % w.async.size());
        auto f = std::move(w.async[k]);
        w.async.erase(w.async.begin() + long(k));
        { Loud l; f(); }
        any = true;
      }
      for (Thread& p : w.threads) if (p.st == St::poll && p.poll(p.poll_arg)) { make_runnable(w, p); any = true; }
      if (any) continue;
      int waiting = 0;
      Thread* first = nullptr;
      for (Thread& p : w.threads) if (p.st != St::done) { ++waiting; if (!first) first = &p; }
      snprintf(w.error, sizeof w.error, "deadlock: %d threads wait, %d have exited; first: " EMU_TH " %s %s:%d", waiting, int(n) - waiting, EMU_TA(*first),
               first->st == St::barrier ? "at the barrier at" : first->st == St::poll ? "polling at" : "in the warp operation at", base_name(first->loc.file), first->loc.line);
      w.tainted = true;
      break;
    }
    go_to(w, t);
  }
  for (auto& [p, sz] : w.smem) {
#if EMU_ASAN
    __asan_unpoison_memory_region(p, sz);
#endif
#if EMU_TSAN
    munmap(p, sz);
#else
    free(p);
#endif
  }
  w.smem.clear();
  w.serial = 0;
  if (w.error[0] && !L.failed.exchange(true)) snprintf(L.error, sizeof L.error, "emu: block (%u,%u,%u): %s", blockIdx.x, blockIdx.y, blockIdx.z, w.error);
}

inline std::mutex g_pool_mu;
inline std::vector<Worker*>& g_pool() { static auto* p = new std::vector<Worker*>; return *p; }   // never destroyed
inline Counters g_counters;

#if EMU_ASAN || EMU_TSAN || EMU_MSAN
extern "C" void __sanitizer_set_death_callback(void (*)(void));
inline void say_where() {   // a sanitizer report names the source line; this adds whose it was
  if (tls_w && tls_w->thr) fprintf(stderr, "emu: in block (%u,%u,%u) " EMU_TH "\n", blockIdx.x, blockIdx.y, blockIdx.z, EMU_TA(*tls_w->thr));
}
#endif
inline void run_worker(Launch& L, int k) {
  Quiet q;
#if EMU_ASAN || EMU_TSAN || EMU_MSAN
  __sanitizer_set_death_callback(say_where);
#endif
  Worker* w = nullptr;
  { std::lock_guard g(g_pool_mu); if (!g_pool().empty()) { w = g_pool().back(); g_pool().pop_back(); } }
  if (!w) w = new Worker;
  Worker* outer = tls_w;
  if (outer) throw Error("emu: nested launch");
  tls_w = w;
  w->L = &L;
  w->cur = &w->main;
  w->rng = options().seed * 0x9e3779b97f4a7c15ull + uint64_t(k) * 77 + 1;
  blockDim = {L.block.x, L.block.y, L.block.z};
  gridDim = {L.grid.x, L.grid.y, L.grid.z};
#if EMU_TSAN
  w->main.tsan = __tsan_get_current_fiber();
#endif
#if EMU_ASAN || EMU_MSAN   // the OS thread's own stack, to come back to
  { pthread_attr_t a; void* lo; size_t sz; pthread_getattr_np(pthread_self(), &a); pthread_attr_getstack(&a, &lo, &sz); pthread_attr_destroy(&a);
    w->main.stack = static_cast<char*>(lo); w->main.size = sz; }
#endif
  for (uint64_t i; !L.failed && (i = L.next.fetch_add(1, std::memory_order_relaxed)) < L.nblocks;) run_block(*w, L.order.empty() ? i : L.order[i]);
  if (w->tainted) w->drop();
  tls_w = nullptr;
  std::lock_guard g(g_pool_mu);
  g_counters.threads += w->ctr.threads; g_counters.switches += w->ctr.switches; g_counters.barriers += w->ctr.barriers; g_counters.collectives += w->ctr.collectives;
  w->ctr = {};
  g_pool().push_back(w);
}

template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t smem, cudaStream_t, A&&... a) {
  uint64_t n = uint64_t(block.x) * block.y * block.z;
  if (n == 0 || n > 1024 || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 2147483647u || grid.y > 65535 || grid.z > 65535 || smem > 227 * 1024)
    throw Error("emu: invalid launch configuration");
  struct Pack { void (*k)(P...); std::tuple<std::decay_t<P>...> t; } pack{kernel, {static_cast<P>(a)...}};
  Launch L;
  L.grid = grid; L.block = block; L.smem = smem;
  L.args = &pack;
  L.call = [](void* p) { auto* q = static_cast<Pack*>(p); std::apply(q->k, q->t); };
  L.nblocks = uint64_t(grid.x) * grid.y * grid.z;
  if (options().order != Order::forward) {
    L.order.resize(L.nblocks);
    uint64_t r = options().seed | 1;
    for (uint64_t i = 0; i < L.nblocks; ++i) L.order[i] = options().order == Order::reverse ? L.nblocks - 1 - i : i;
    if (options().order == Order::random) for (uint64_t i = L.nblocks; i > 1; --i) { r = r * 6364136223846793005ull + 1442695040888963407ull; std::swap(L.order[i - 1], L.order[(r >> 33) % i]); }
  }
  hb_release(&L.hb_start);
  int nw = int(std::min<uint64_t>(uint64_t(std::max(1, options().workers)), L.nblocks));
  if (nw == 1 || n * L.nblocks < 8192) run_worker(L, 0);
  else {
    std::vector<std::thread> ts;
    for (int k = 1; k < nw; ++k) ts.emplace_back([&L, k] { run_worker(L, k); });
    run_worker(L, 0);
    for (auto& t : ts) t.join();
  }
  hb_acquire(&L.hb_end);
  if (L.failed) throw Error(L.error);
}

template <class T> T poison_value() { T t; std::memset(static_cast<void*>(&t), 0xff, sizeof t); return t; }
template <class T, class Src>
T shuffle(uint32_t mask, T v, const char* name, Loc loc, Src src) {   // src(lane) -> source lane, or -1 for own value
  T out;
  warp_collective(mask, &op_tag<Src>, name, &v, &out, loc, false, [&](WarpView& wv) {
    for (int l = 0; l < 32; ++l) if (wv.mask >> l & 1) {
      int s = src(l);
      *static_cast<T*>(wv.out[l]) = s < 0 ? *static_cast<const T*>(wv.in[l])
                                  : (wv.mask >> s & 1) ? *static_cast<const T*>(wv.in[s]) : poison_value<T>();   // inactive source: undefined
    }
  });
  return out;
}
}  // namespace duel::emulator

// ---------------------------------------------------------------- the CUDA names kernels use
#undef __shared__
#define __shared__ static thread_local   /* works, but without poison and redzones: prefer DEV_SHARED */
#undef __launch_bounds__
#define __launch_bounds__(...)
#undef __forceinline__
#define __forceinline__ inline

inline void __syncthreads(EMU_LOC) { duel::emulator::barrier_wait(0, 0, 0, EMU_HERE); }
inline int __syncthreads_or(int p, EMU_LOC) { return duel::emulator::barrier_wait(0, 0, p, EMU_HERE).res_or; }
inline int __syncthreads_and(int p, EMU_LOC) { return duel::emulator::barrier_wait(0, 0, p, EMU_HERE).res_and; }
inline int __syncthreads_count(int p, EMU_LOC) { return duel::emulator::barrier_wait(0, 0, p, EMU_HERE).res_count; }
inline void __syncwarp(unsigned mask = 0xffffffffu, EMU_LOC) {
  static const char tag = 0;
  duel::emulator::warp_collective(mask, &tag, "__syncwarp", nullptr, nullptr, EMU_HERE, true, [](duel::emulator::WarpView&) {});
}
template <class T> T __shfl_sync(unsigned mask, T v, int src, int width = 32, EMU_LOC) {
  // the source lane may differ per lane, so it travels with the value
  struct In { T v; int src, width; } in{v, src, width};
  T out;
  duel::emulator::warp_collective(mask, &duel::emulator::op_tag<In>, "__shfl_sync", &in, &out, EMU_HERE, false, [](duel::emulator::WarpView& w) {
    for (int l = 0; l < 32; ++l) if (w.mask >> l & 1) {
      const In& i = *static_cast<const In*>(w.in[l]);
      int s = (l & ~(i.width - 1)) | (i.src & (i.width - 1));
      *static_cast<T*>(w.out[l]) = w.mask >> s & 1 ? static_cast<const In*>(w.in[s])->v : duel::emulator::poison_value<T>();
    }
  });
  return out;
}
template <class T> T __shfl_down_sync(unsigned mask, T v, unsigned d, int width = 32, EMU_LOC) {
  return duel::emulator::shuffle(mask, v, "__shfl_down_sync", EMU_HERE, [=](int l) { return (l & (width - 1)) + int(d) < width ? l + int(d) : -1; });
}
template <class T> T __shfl_up_sync(unsigned mask, T v, unsigned d, int width = 32, EMU_LOC) {
  return duel::emulator::shuffle(mask, v, "__shfl_up_sync", EMU_HERE, [=](int l) { return (l & (width - 1)) >= int(d) ? l - int(d) : -1; });
}
template <class T> T __shfl_xor_sync(unsigned mask, T v, int m, int width = 32, EMU_LOC) {
  return duel::emulator::shuffle(mask, v, "__shfl_xor_sync", EMU_HERE, [=](int l) { int s = l ^ m; return (s & ~(width - 1)) <= (l & ~(width - 1)) ? s : -1; });
}
inline unsigned __ballot_sync(unsigned mask, int pred, EMU_LOC) {
  static const char tag = 0;
  unsigned out = 0;
  duel::emulator::warp_collective(mask, &tag, "__ballot_sync", &pred, &out, EMU_HERE, false, [](duel::emulator::WarpView& w) {
    unsigned r = 0;
    for (int l = 0; l < 32; ++l) if (w.mask >> l & 1) r |= unsigned(*static_cast<const int*>(w.in[l]) != 0) << l;
    for (int l = 0; l < 32; ++l) if (w.mask >> l & 1) *static_cast<unsigned*>(w.out[l]) = r;
  });
  return out;
}
inline int __any_sync(unsigned m, int p, EMU_LOC) { return __ballot_sync(m, p, emu_f, emu_l) != 0; }
inline int __all_sync(unsigned m, int p, EMU_LOC) { return __ballot_sync(m, !p, emu_f, emu_l) == 0; }
inline unsigned __activemask() { duel::emulator::Quiet q; duel::emulator::Worker& w = *duel::emulator::tls_w; return w.warp_live[w.thr->lin >> 5]; }
inline void __threadfence() { asm volatile("mfence" ::: "memory"); }
inline void __threadfence_block() { asm volatile("" ::: "memory"); }
inline void __threadfence_system() { __threadfence(); }

template <class T> T emu_atomic_rmw(T* p, T (*f)(T, T), T v) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint16_t>>;
  U* q = reinterpret_cast<U*>(p);
  U o = __atomic_load_n(q, __ATOMIC_RELAXED);
  for (;;) {
    T old; std::memcpy(&old, &o, sizeof o);
    T nw = f(old, v); U n; std::memcpy(&n, &nw, sizeof n);
    if (__atomic_compare_exchange_n(q, &o, n, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return old;
  }
}
template <class T> T atomicAdd(T* p, std::type_identity_t<T> v) { return emu_atomic_rmw<T>(p, [](T a, T b) -> T { return a + b; }, v); }
template <class T> T atomicSub(T* p, std::type_identity_t<T> v) { return emu_atomic_rmw<T>(p, [](T a, T b) -> T { return a - b; }, v); }
template <class T> T atomicMax(T* p, std::type_identity_t<T> v) { return emu_atomic_rmw<T>(p, [](T a, T b) { return a > b ? a : b; }, v); }
template <class T> T atomicMin(T* p, std::type_identity_t<T> v) { return emu_atomic_rmw<T>(p, [](T a, T b) { return a < b ? a : b; }, v); }
template <class T> T atomicOr(T* p, std::type_identity_t<T> v) { return __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL); }
template <class T> T atomicAnd(T* p, std::type_identity_t<T> v) { return __atomic_fetch_and(p, v, __ATOMIC_ACQ_REL); }
template <class T> T atomicExch(T* p, std::type_identity_t<T> v) { return emu_atomic_rmw<T>(p, [](T, T b) { return b; }, v); }
template <class T> T atomicCAS(T* p, std::type_identity_t<T> c, std::type_identity_t<T> v) { __atomic_compare_exchange_n(p, &c, v, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED); return c; }

template <class T> T __ldg(const T* p) { return *p; }
template <class T> T __ldcs(const T* p) { return *p; }
template <class T> void __stcs(T* p, T v) { *p = v; }
// glibc's math.h already declares __expf, __logf, ... (and does not export them): macros are the only clean way
#define __expf(x) (::expf(x))
#define __logf(x) (::logf(x))
#define __log2f(x) (::log2f(x))
#define __powf(x, y) (::powf((x), (y)))
#define __sinf(x) (::sinf(x))
#define __cosf(x) (::cosf(x))
#define __exp10f(x) (::exp10f(x))
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline float __frsqrt_rn(float x) { return 1.0f / std::sqrt(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __saturatef(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
inline float __int_as_float(int i) { float f; std::memcpy(&f, &i, 4); return f; }
inline int __float_as_int(float f) { int i; std::memcpy(&i, &f, 4); return i; }
inline unsigned __float_as_uint(float f) { unsigned i; std::memcpy(&i, &f, 4); return i; }
inline float __uint_as_float(unsigned i) { float f; std::memcpy(&f, &i, 4); return f; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }

// A block of threads while it runs: one fiber a thread, what each waits for, and the barrier.
//
// A thread runs until it waits or ends, and then enters the next itself; only when nobody can go on is it the turn of
// run(), which knows whether all have ended. A thread that never waits costs no switch: the fiber that ended the thread
// before it goes on with it.
#pragma once

#include "emulator/async_copy.h"
#include "emulator/error.h"
#include "emulator/fiber.h"
#include "emulator/sanitizers.h"
#include "emulator/schedule.h"
#include "emulator/shared_memory.h"
#include "emulator/warp.h"

#include <vector_types.h>

#include <cstdint>
#include <vector>

namespace duel::emulator {

struct Grid {  // a launch
  dim3 blocks, threads;
  dim3 cluster{1, 1, 1};  // blocks
  std::size_t shared_bytes = 0;
  void (*call)(const void* arguments) = nullptr;
  const void* arguments = nullptr;
  SyncPoint begin, end;
};

enum class State : std::uint8_t { ready, at_barrier, at_cluster_barrier, in_warp_operation, asleep, ended };

struct Thread {
  uint3 index{};
  int number = 0;  // within the block; 32 in a row are a warp
  State state = State::ready;
  Fiber* fiber = nullptr;  // null until it has begun
  Location where;          // what it waits in
  // Of the warp operation that it waits in:
  std::uint32_t mask = 0;
  WarpCompute compute = nullptr;
  const void* in = nullptr;
  void* out = nullptr;
  AsyncCopies copies;

  int warp() const { return number / 32; }
  int lane() const { return number % 32; }
};

struct Warp {
  std::uint32_t alive = 0, waiting = 0;  // lanes; those that wait do so in a warp operation
};

struct Votes {  // of __syncthreads_or, _and, _count
  int any = 0, all = 1, count = 0;
};

class Cluster;

class Block {
public:
  Block(const Options& options, Cluster& cluster);

  // That of the kernel which is running on this thread of the operating system.
  static Block& current();
  static bool is_any_running();

  // Makes the threads of the block `index`; none of them begins.
  void begin(Grid& grid, uint3 index);
  // Runs them until all have ended, all alive wait at the cluster's barrier, or one of them has failed.
  void go_on();
  bool has_ended() const { return alive_ == 0; }
  bool has_failed() const { return has_failed_; }
  void pass_cluster_barrier();  // all that wait there can go on
  void retire();                // it has ended: what lies in its shared arrays is undefined
  void release();               // and its shared arrays are gone
  // Throws an error of this block: nobody can enter the threads of this launch again.
  [[noreturn]] void give_up(const Error& error);
  const Error& error() const { return error_; }

  // For the running thread:
  Thread& thread() { return *thread_; }
  Warp& warp() { return warps_[thread_->warp()]; }
  Thread& lane(int lane) { return threads_[thread_->warp() * 32 + lane]; }
  Votes barrier(bool vote, Location where);
  void cluster_barrier(Location where);
  // Where the block `rank` of the cluster has what this one has at `data`, in a shared array.
  void* peer(const void* data, unsigned rank, Location where);
  void sleep(Location where);
  void wait(State state, Location where);  // until somebody makes it ready
  void yield();                            // lets the schedule say who goes on, itself or another
  void make_ready(int warp, std::uint32_t lanes);
  void got_on() { naps_ = 0; }  // a thread did more than sleep
  [[noreturn]] __attribute__((format(printf, 2, 3))) void fail(const char* format, ...);

  std::uint64_t serial() const { return serial_; }  // another for each block, never 0
  uint3 index() const { return index_; }
  const SharedMemory& shared() const { return shared_; }
  void* static_array(const SharedSlot& slot, std::size_t bytes, std::size_t align);
  void* dynamic_shared(std::size_t align);

private:
  struct Barrier {
    int arrived = 0;
    unsigned generation = 0;
    std::uint32_t waiting[32] = {};  // lanes of each warp
    Location where;                  // of the first to arrive
    Votes votes, result;             // of this round, of the last one
    SyncPoint sync[2][2];            // of blocks and rounds in turn: a shared one would order what CUDA does not
  };

  struct StaticArray {
    const SharedSlot* slot;
    char* data;
    std::size_t bytes;
  };

  static void fiber_main();
  static FiberPool& pool();
  void end_thread();
  void release_barrier();
  bool wake_sleepers();
  void enter(Fiber& fiber);
  void enter(Thread* thread);
  void set_thread(Thread& thread);
  Thread* take();
  Fiber& fiber_for(const Thread& thread);

  Cluster& cluster_;
  Order order_;
  Schedule schedule_;
  Fiber caller_;  // that of go_on()
  Fiber* fiber_ = nullptr;
  Grid* grid_ = nullptr;
  uint3 index_{};
  Thread* thread_ = nullptr;
  Thread* next_ = nullptr;  // whose body the fiber that is entered for the first time, or again, is to run
  std::vector<Thread> threads_;
  int alive_ = 0;
  Warp warps_[32];
  Barrier barrier_;
  int at_cluster_barrier_ = 0;  // threads
  int naps_ = 0;                // wakings of all sleepers in a row between which no thread got on
  SharedMemory shared_;
  std::vector<StaticArray> statics_;
  void* dynamic_ = nullptr;
  std::size_t static_bytes_ = 0;
  std::uint64_t serial_ = 0;
  bool has_failed_ = false;
  Error error_;
};

}  // namespace duel::emulator

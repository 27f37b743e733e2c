#include "emulator/block.h"

#include "emulator/cluster.h"
#include "emulator/indices.h"

#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace duel::emulator {

namespace {

constinit thread_local Block* running = nullptr;

// A sleeper may wait for another block's flag, say, which nobody will set: blocks run one after another.
constexpr int kMostNaps = 1000;

const char* what_it_does(State state) {
  switch (state) {
    case State::at_barrier: return "at the barrier at";
    case State::at_cluster_barrier: return "at the cluster's barrier at";
    case State::in_warp_operation: return "in the warp operation at";
    case State::asleep: return "asleep at";
    case State::ready: return "ready at";
    case State::ended: return "ended after";
  }
  return "?";
}

}  // namespace

Block::Block(const Options& options, Cluster& cluster)
    : cluster_(cluster), order_(options.order), schedule_(options), fiber_(&caller_) {}

Block& Block::current() {
  return *running;
}

bool Block::is_any_running() {
  return running != nullptr;
}

void Block::begin(Grid& grid, uint3 index) {
  static std::atomic<std::uint64_t> serial{0};
  serial_ = ++serial;
  grid_ = &grid;
  index_ = index;
  alive_ = static_cast<int>(grid.threads.x * grid.threads.y * grid.threads.z);
  threads_.resize(static_cast<std::size_t>(alive_));
  uint3 at{0, 0, 0};
  for (int i = 0; i < alive_; ++i) {
    Thread& thread = threads_[i];
    thread.index = at;
    thread.number = i;
    thread.state = State::ready;
    thread.fiber = nullptr;
    thread.copies.clear();
    if (++at.x == grid.threads.x) {
      at.x = 0;
      if (++at.y == grid.threads.y) {
        at.y = 0;
        ++at.z;
      }
    }
  }
  schedule_.begin_block();
  for (int i = 0; i < 32; ++i) {
    const int lanes = alive_ - i * 32;
    warps_[i].alive = lanes >= 32 ? ~0U : lanes > 0 ? (1U << lanes) - 1 : 0;
    schedule_.add(i, warps_[i].alive);
  }
  at_cluster_barrier_ = 0;
  statics_.clear();
  dynamic_ = nullptr;
  static_bytes_ = 0;
  naps_ = 0;
}

void Block::go_on() {
  running = this;
  blockIdx = index_;
  blockDim = {grid_->threads.x, grid_->threads.y, grid_->threads.z};
  gridDim = {grid_->blocks.x, grid_->blocks.y, grid_->blocks.z};
  grid_->begin.release();
  while (alive_ > 0 && !has_failed_) {
    Thread* thread = take();
    if (thread != nullptr) {
      enter(thread);
      continue;
    }
    if (at_cluster_barrier_ == alive_) {
      break;
    }
    if (wake_sleepers()) {
      continue;
    }
    const Thread* first = nullptr;
    for (const Thread& candidate : threads_) {
      if (candidate.state != State::ended && first == nullptr) {
        first = &candidate;
      }
    }
    error_ = Error("deadlock: %d threads wait and %d have ended; the first, thread (%u,%u,%u), is %s %s:%d", alive_,
                   static_cast<int>(threads_.size()) - alive_, first->index.x, first->index.y, first->index.z,
                   what_it_does(first->state), first->where.file_name(), first->where.line);
    has_failed_ = true;
  }
  running = nullptr;
}

void Block::retire() {
  shared_.undefine();
}

void Block::release() {
  shared_.release();
  thread_ = nullptr;
}

void Block::give_up(const Error& error) {
  pool().drop_all(grid_->end);  // they are in the middle of a kernel
  grid_->end.acquire();
  throw Error("block (%u,%u,%u): %s; order %s, seed %llu", index_.x, index_.y, index_.z, error.what(),
              to_string(order_), static_cast<unsigned long long>(options().seed));
}

Thread* Block::take() {
  const int number = schedule_.take();
  return number < 0 ? nullptr : &threads_[number];
}

FiberPool& Block::pool() {
  static thread_local FiberPool pool(&fiber_main);
  return pool;
}

Fiber& Block::fiber_for([[maybe_unused]] const Thread& thread) {
#if DUEL_EMULATOR_TSAN
  // To ThreadSanitizer a fiber is a thread. Two sets in turn, or it would take what neighbouring blocks do for the work
  // of one thread, which cannot race with itself; and as many for each block of a cluster.
  const std::size_t place =
      (serial_ % (2 * cluster_.size())) * threads_.size() + static_cast<std::size_t>(thread.number);
  return pool().at(place);
#else
  return pool().take();
#endif
}

void Block::enter(Fiber& fiber) {
  Fiber& from = *fiber_;
  fiber_ = &fiber;
  Fiber::enter(from, fiber);
}

void Block::enter(Thread* thread) {
  if (thread == nullptr) {
    enter(caller_);
    return;
  }
  if (thread->fiber == nullptr) {
    thread->fiber = &fiber_for(*thread);
    next_ = thread;
  }
  enter(*thread->fiber);
}

void Block::set_thread(Thread& thread) {
  thread_ = &thread;
  threadIdx = thread.index;
}

void Block::fiber_main() {
  Fiber::begin();
  for (;;) {
    Grid* grid = nullptr;
    {
      const Quiet quiet;
      Block& block = current();
      grid = block.grid_;
      block.set_thread(*block.next_);
    }
    grid->begin.acquire();
    grid->call(grid->arguments);
    grid->end.release();

    const Quiet quiet;
    Block& block = current();
    Fiber& self = *block.fiber_;
    block.end_thread();
    Thread* next = block.take();
    if (!DUEL_EMULATOR_TSAN && next != nullptr && next->fiber == nullptr) {
      next->fiber = &self;
      block.next_ = next;
      continue;
    }
    if (!DUEL_EMULATOR_TSAN) {
      pool().give_back(self);
    }
    block.enter(next);
  }
}

void Block::end_thread() {
  thread_->state = State::ended;
  warps_[thread_->warp()].alive &= ~(1U << thread_->lane());
  --alive_;
  got_on();
  const uint3 at = thread_->index;
  if (barrier_.arrived > 0) {
    fail("thread (%u,%u,%u) ended while others wait at the barrier at %s:%d", at.x, at.y, at.z,
         barrier_.where.file_name(), barrier_.where.line);
  }
  if (at_cluster_barrier_ > 0) {
    fail("thread (%u,%u,%u) ended while others wait at the cluster's barrier at %s:%d", at.x, at.y, at.z,
         cluster_.where().file_name(), cluster_.where().line);
  }
  for (std::uint32_t waiting = warp().waiting; waiting != 0; waiting &= waiting - 1) {
    const Thread& other = lane(std::countr_zero(waiting));
    if ((other.mask >> thread_->lane() & 1) != 0) {
      fail("thread (%u,%u,%u) ended while thread (%u,%u,%u) waits for it in the warp operation at %s:%d", at.x, at.y,
           at.z, other.index.x, other.index.y, other.index.z, other.where.file_name(), other.where.line);
    }
  }
}

void Block::wait(State state, Location where) {
  Thread& self = *thread_;
  self.state = state;
  self.where = where;
  Thread* next = take();
  if (next != &self) {  // an operation that ends with this thread may have made it ready already
    enter(next);
  }
  set_thread(self);
  self.state = State::ready;
}

void Block::yield() {
  if (order_ != Order::forward) {
    make_ready(thread_->warp(), 1U << thread_->lane());
    wait(State::ready, thread_->where);
  }
}

void Block::make_ready(int warp, std::uint32_t lanes) {
  schedule_.add(warp, lanes);
}

Votes Block::barrier(bool vote, Location where) {
  Barrier& barrier = barrier_;
  const uint3 at = thread_->index;
  if (barrier.arrived == 0) {
    barrier.where = where;
    barrier.votes = {};
  } else if (barrier.where.line != where.line || std::strcmp(barrier.where.file, where.file) != 0) {
    fail("divergent barrier: some threads are at %s:%d, thread (%u,%u,%u) is at %s:%d", barrier.where.file_name(),
         barrier.where.line, at.x, at.y, at.z, where.file_name(), where.line);
  }
  if (alive_ != static_cast<int>(threads_.size())) {
    fail("thread (%u,%u,%u) is at the barrier at %s:%d, but other threads have ended", at.x, at.y, at.z,
         where.file_name(), where.line);
  }
  barrier.votes.any |= vote ? 1 : 0;
  barrier.votes.all &= vote ? 1 : 0;
  barrier.votes.count += vote ? 1 : 0;
  SyncPoint& sync = barrier.sync[serial_ % 2][barrier.generation % 2];
  sync.release();
  if (++barrier.arrived == alive_) {
    release_barrier();
    thread_->where = where;
    yield();
  } else {
    barrier.waiting[thread_->warp()] |= 1U << thread_->lane();
    wait(State::at_barrier, where);
  }
  sync.acquire();
  return barrier.result;
}

void Block::release_barrier() {
  barrier_.result = barrier_.votes;
  barrier_.arrived = 0;
  ++barrier_.generation;
  got_on();
  for (int i = 0; i < 32; ++i) {
    make_ready(i, barrier_.waiting[i]);
    barrier_.waiting[i] = 0;
  }
}

void Block::cluster_barrier(Location where) {
  const uint3 at = thread_->index;
  if (!cluster_.arrive(where)) {
    const Location first = cluster_.where();
    fail("divergent cluster barrier: some threads are at %s:%d, thread (%u,%u,%u) is at %s:%d", first.file_name(),
         first.line, at.x, at.y, at.z, where.file_name(), where.line);
  }
  if (alive_ != static_cast<int>(threads_.size())) {
    fail("thread (%u,%u,%u) is at the cluster's barrier at %s:%d, but other threads have ended", at.x, at.y, at.z,
         where.file_name(), where.line);
  }
  SyncPoint& sync = cluster_.sync();
  sync.release();
  ++at_cluster_barrier_;
  wait(State::at_cluster_barrier, where);
  sync.acquire();
}

void Block::pass_cluster_barrier() {
  at_cluster_barrier_ = 0;
  got_on();
  for (const Thread& thread : threads_) {
    make_ready(thread.warp(), 1U << thread.lane());
  }
}

void* Block::peer(const void* data, unsigned rank, Location where) {
  if (rank >= cluster_.size()) {
    fail("mapa at %s:%d: rank %u in a cluster of %zu blocks", where.file_name(), where.line, rank, cluster_.size());
  }
  const auto* const address = static_cast<const char*>(data);
  Block& other = cluster_.block(rank);
  const auto inside = [address](const void* array, std::size_t bytes) {
    const auto* const begin = static_cast<const char*>(array);
    return begin != nullptr && address >= begin && address < begin + bytes;
  };
  const auto missing = [&]() {
    fail("mapa at %s:%d: block %u of the cluster has no such array yet; a cluster barrier has to come before",
         where.file_name(), where.line, rank);
  };
  if (inside(dynamic_, grid_->shared_bytes)) {
    if (other.dynamic_ == nullptr) {
      missing();
    }
    return static_cast<char*>(other.dynamic_) + (address - static_cast<const char*>(dynamic_));
  }
  for (const StaticArray& array : statics_) {
    if (inside(array.data, array.bytes)) {
      for (const StaticArray& theirs : other.statics_) {
        if (theirs.slot == array.slot) {
          return theirs.data + (address - array.data);
        }
      }
      missing();
    }
  }
  fail("mapa at %s:%d: the address is not in shared memory", where.file_name(), where.line);
}

void Block::sleep(Location where) {
  wait(State::asleep, where);
}

bool Block::wake_sleepers() {
  if (++naps_ > kMostNaps) {
    return false;
  }
  bool is_any_asleep = false;
  for (const Thread& thread : threads_) {
    if (thread.state == State::asleep) {
      make_ready(thread.warp(), 1U << thread.lane());
      is_any_asleep = true;
    }
  }
  return is_any_asleep;
}

void Block::fail(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  error_ = Error(format, arguments);
  va_end(arguments);
  has_failed_ = true;
  enter(caller_);  // for good: the other fibers cannot be unwound, so they are given up together
  std::abort();
}

void* Block::static_array(const SharedSlot& slot, std::size_t bytes, std::size_t align) {
  for (const StaticArray& array : statics_) {
    if (array.slot == &slot) {
      return array.data;
    }
  }
  static_bytes_ += bytes;
  if (static_bytes_ > SharedMemory::kMostStatic) {
    fail("the shared arrays are larger than %zu bytes", SharedMemory::kMostStatic);
  }
  if (static_bytes_ + grid_->shared_bytes > SharedMemory::kMost) {
    fail("the shared arrays and the launch's %zu bytes are larger than %zu", grid_->shared_bytes, SharedMemory::kMost);
  }
  void* const data = shared_.allocate(bytes, align);
  statics_.push_back({&slot, static_cast<char*>(data), bytes});
  return data;
}

void* Block::dynamic_shared(std::size_t align) {
  if (dynamic_ == nullptr) {
    dynamic_ = shared_.allocate(grid_->shared_bytes, align);
  }
  return dynamic_;
}

}  // namespace duel::emulator

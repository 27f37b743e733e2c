#include "kernels/cpu/team.h"

#include "kernels/check.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>

namespace duel {

namespace {

using Clock = std::chrono::steady_clock;

// Longer than most gaps between two operators and than waking a thread; so short that whoever needs the processor
// gets it soon.
constexpr auto kSpin = std::chrono::microseconds(50);
// Of work left, in the time of one thread, below which a sleeping helper is not woken: waking one costs the caller
// some microseconds, and it comes tens of them later.
constexpr auto kWorthWaking = std::chrono::microseconds(40);
// Pieces of a member's part: what is lost when a member is held up in the last one.
constexpr int kPieces = 8;

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  static_assert(sizeof word == sizeof value);
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);  // or a signal, or the value has changed
}

void futex_wake_all(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

int processors_of_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : INT_MAX;  // more than the set holds
}

}  // namespace

Team::Team(int threads)
    : threads_(threads), spins_(threads <= processors_of_process()), seats_(std::make_unique<Seat[]>(threads)) {}

Team::~Team() {
  is_stopping_.store(true, std::memory_order_relaxed);
  announce();
  wake();
  for (std::thread& helper : helpers_) {
    helper.join();
  }
}

void Team::start_helpers() {
  if (!helpers_.empty()) {
    return;
  }
  // Signals are for the thread that trains: helpers inherit a mask that blocks them.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  helpers_.reserve(threads_ - 1);
  for (int member = 1; member < threads_; ++member) {
    helpers_.emplace_back([this, member] { help(member); });
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

template <class Reached>
bool Team::spin_until(const Reached& reached) const {
  if (reached()) {
    return true;
  }
  if (!spins_) {
    return false;
  }
  const Clock::time_point end = Clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      relax();
      if (reached()) {
        return true;
      }
    }
  } while (Clock::now() < end);
  return false;
}

void Team::announce() {
  calls_.fetch_add(1, std::memory_order_seq_cst);
}

void Team::wake() {
  // A helper counts itself before it looks at calls_ for the last time: either it sees the new value, or we see it.
  if (sleeping_.load(std::memory_order_seq_cst) > 0) {
    futex_wake_all(calls_);
  }
}

void Team::help(int member) {
  Seat& own = seats_[member];
  for (;;) {
    const std::uint32_t seen = calls_.load(std::memory_order_acquire);  // before the look for work: none is missed
    if (is_stopping_.load(std::memory_order_relaxed)) {
      return;
    }
    if (own.is_called.load(std::memory_order_acquire)) {
      own.is_called.store(false, std::memory_order_relaxed);
      work_.call(work_.body, 0, 0, member);
      finish();
    }
    take_pieces(member);
    const auto is_announced = [&] { return calls_.load(std::memory_order_acquire) != seen; };
    if (!spin_until(is_announced)) {
      sleeping_.fetch_add(1, std::memory_order_seq_cst);
      while (calls_.load(std::memory_order_seq_cst) == seen) {
        futex_wait(calls_, seen);
      }
      sleeping_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
}

// Whoever takes a piece of this work holds its end up, so that what is read of it behind the exchange stays as it is.
bool Team::take_piece(Seat& seat, int member) {
  int left = seat.left.load(std::memory_order_relaxed);
  while (left > 0) {
    if (seat.left.compare_exchange_weak(left, left - 1, std::memory_order_acquire, std::memory_order_relaxed)) {
      const std::int64_t piece = seat.pieces - left, count = seat.end - seat.begin;
      work_.call(work_.body, seat.begin + count * piece / seat.pieces, seat.begin + count * (piece + 1) / seat.pieces,
                 member);
      finish();
      return true;
    }
  }
  return false;
}

void Team::take_pieces(int member) {
  for (int i = 0; i < threads_; ++i) {
    while (take_piece(seats_[(member + i) % threads_], member)) {
    }
  }
}

void Team::finish() {
  // As in wake(): either the caller sees 0, or we see it asleep.
  if (unfinished_.fetch_sub(1, std::memory_order_seq_cst) == 1 && caller_sleeps_.load(std::memory_order_seq_cst)) {
    futex_wake_all(unfinished_);
  }
}

void Team::await_others() {
  if (spin_until([&] { return unfinished_.load(std::memory_order_acquire) == 0; })) {
    return;
  }
  caller_sleeps_.store(true, std::memory_order_seq_cst);
  while (const std::uint32_t left = unfinished_.load(std::memory_order_seq_cst)) {
    futex_wait(unfinished_, left);
  }
  caller_sleeps_.store(false, std::memory_order_relaxed);
}

void Team::share_ranges(std::int64_t count, Wake when, Work work) {
  const int members = static_cast<int>(std::min<std::int64_t>(threads_, count));
  if (members <= 1) {
    work.call(work.body, 0, count, 0);
    return;
  }
  start_helpers();
  work_ = work;
  const auto begin_of = [&](int member) { return count * member / members; };
  const auto pieces_of = [&](int member) {
    return static_cast<int>(std::min<std::int64_t>(kPieces, begin_of(member + 1) - begin_of(member)));
  };
  std::uint32_t pieces = 0;
  for (int member = 0; member < members; ++member) {
    pieces += pieces_of(member);
  }
  unfinished_.store(pieces, std::memory_order_relaxed);  // before anybody can take one
  for (int member = 0; member < members; ++member) {
    Seat& seat = seats_[member];
    seat.begin = begin_of(member);
    seat.end = begin_of(member + 1);
    seat.pieces = pieces_of(member);
    seat.left.store(seat.pieces, std::memory_order_release);
  }
  announce();
  if (when == Wake::at_once) {
    wake();
  } else if (sleeping_.load(std::memory_order_relaxed) > 0) {
    const Clock::time_point start = Clock::now();
    take_piece(seats_[0], 0);
    if ((Clock::now() - start) * (pieces - 1) > kWorthWaking) {
      wake();
    }
  }
  take_pieces(0);
  await_others();
}

void Team::gather_members(int members, Work work) {
  check(members <= threads_, "team: {} members are wanted of {}", members, threads_);
  if (members > 1) {
    start_helpers();
    work_ = work;
    unfinished_.store(members - 1, std::memory_order_relaxed);
    for (int member = 1; member < members; ++member) {
      seats_[member].is_called.store(true, std::memory_order_release);
    }
    announce();
    wake();
  }
  work.call(work.body, 0, 0, 0);
  await_others();
}

void Team::meet(int members) {
  const std::uint32_t meeting = meetings_.load(std::memory_order_acquire);  // does not change before we arrive
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members) {
    arrived_.store(0, std::memory_order_relaxed);
    meetings_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_at_meeting_.load(std::memory_order_seq_cst) > 0) {
      futex_wake_all(meetings_);
    }
    return;
  }
  if (spin_until([&] { return meetings_.load(std::memory_order_acquire) != meeting; })) {
    return;
  }
  sleeping_at_meeting_.fetch_add(1, std::memory_order_seq_cst);
  while (meetings_.load(std::memory_order_seq_cst) == meeting) {
    futex_wait(meetings_, meeting);
  }
  sleeping_at_meeting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace duel

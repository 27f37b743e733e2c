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

// How long a thread that waits for others spins: longer than waking one takes.
constexpr auto kSpin = std::chrono::microseconds(50);
// A helper that waits for work spins for longer than most gaps between two operators that are shared. But for a while
// after it was seen to be interrupted, it sleeps at once: somebody else wants the processor, and who spins uses up his
// share of it before there is work.
constexpr auto kHelperSpin = std::chrono::microseconds(200);
constexpr auto kUnrest = std::chrono::milliseconds(100);
// Between two looks at the clock of a thread that spins, which are 1 us apart: longer than a timer's interrupt, shorter
// than another program's turn.
constexpr auto kInterruption = std::chrono::microseconds(100);
// Of work, in the time of one thread: what is less is not shared. A helper that is awake comes within 1 us, but data
// that lie in one cache move to another, which took longer than an Adam of 8 us gained.
constexpr auto kWorthSharing = std::chrono::microseconds(10);
// Of work below which a sleeping helper is not woken: that costs the caller 6 us, and it comes 14 us later.
constexpr auto kWorthWaking = std::chrono::microseconds(40);
// Of work for which one is woken however often the last ones came too late.
constexpr auto kAlwaysWorthWaking = std::chrono::milliseconds(1);
constexpr int kMostVainWakes = 6;
constexpr std::size_t kPasts = 256;  // a power of two. A step has fewer loops; of two that meet in an entry each is new
// Pieces of a member's part: what is lost when a member is held up in the last one.
constexpr int kPieces = 8;

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  static_assert(sizeof word == sizeof value);
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);  // or a signal, or the value has changed
}

void futex_wake(std::atomic<std::uint32_t>& word, int most) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0);
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
    : threads_(threads),
      spins_(threads <= processors_of_process()),
      seats_(std::make_unique<Seat[]>(threads)),
      pasts_(kPasts) {}

Team::~Team() {
  is_stopping_.store(true, std::memory_order_relaxed);
  announce();
  wake(threads_);
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
Team::Spun Team::spin_until(const Reached& reached, std::chrono::nanoseconds most) const {
  if (reached()) {
    return Spun::reached;
  }
  if (!spins_ || most <= most.zero()) {
    return Spun::in_vain;
  }
  const Clock::time_point begin = Clock::now();
  Clock::time_point last = begin;
  for (;;) {
    for (int i = 0; i < 16; ++i) {
      relax();
      if (reached()) {
        return Spun::reached;
      }
    }
    const Clock::time_point now = Clock::now();
    if (now - last > kInterruption) {
      return Spun::interrupted;
    }
    if (now - begin > most) {
      return Spun::in_vain;
    }
    last = now;
  }
}

void Team::announce() {
  calls_.fetch_add(1, std::memory_order_seq_cst);
}

void Team::wake(int helpers) {
  // A helper counts itself before it looks at calls_ for the last time: either it sees the new value, or we see it.
  if (sleeping_.load(std::memory_order_seq_cst) > 0) {
    futex_wake(calls_, helpers);
  }
}

void Team::help(int member) {
  Seat& own = seats_[member];
  Clock::time_point rest_from{};  // from when on nobody else is believed to want the processor
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
    const bool is_restful = rest_from == Clock::time_point{} || Clock::now() > rest_from;
    const Spun spun = spin_until(is_announced, is_restful ? kHelperSpin : kHelperSpin.zero());
    if (spun == Spun::interrupted) {
      rest_from = Clock::now() + kUnrest;
    }
    if (spun != Spun::reached) {
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

int Team::take_pieces(int member) {
  int taken = 0;
  for (int i = 0; i < threads_; ++i) {
    while (take_piece(seats_[(member + i) % threads_], member)) {
      ++taken;
    }
  }
  return taken;
}

void Team::finish() {
  // As in wake(): either the caller sees 0, or we see it asleep.
  if (unfinished_.fetch_sub(1, std::memory_order_seq_cst) == 1 && caller_sleeps_.load(std::memory_order_seq_cst)) {
    futex_wake(unfinished_, 1);
  }
}

void Team::await_others() {
  if (spin_until([&] { return unfinished_.load(std::memory_order_acquire) == 0; }, kSpin) == Spun::reached) {
    return;
  }
  caller_sleeps_.store(true, std::memory_order_seq_cst);
  while (const std::uint32_t left = unfinished_.load(std::memory_order_seq_cst)) {
    futex_wait(unfinished_, left);
  }
  caller_sleeps_.store(false, std::memory_order_relaxed);
}

void Team::Past::add(std::chrono::nanoseconds measured) {
  time = std::max(measured, time - time / 8);  // work that was small once is shared rather too often than too rarely
}

Team::Past& Team::past_of(std::int64_t count, Work work) {
  const std::uint64_t key = reinterpret_cast<std::uintptr_t>(work.call) * 31 + static_cast<std::uint64_t>(count);
  Past& past = pasts_[(key * 0x9E3779B97F4A7C15U >> 32) % kPasts];
  if (past.call != work.call || past.count != count) {
    past = {work.call, count};
  }
  return past;
}

// Wakes as many helpers as work of that size keeps busy. Where those that were woken came too late, as they do where
// other programs have the processors, fewer and fewer are woken: each costs time, and on coming takes the processor of
// somebody, perhaps of the caller.
bool Team::wake_if_worth(std::chrono::nanoseconds time) {
  if (sleeping_.load(std::memory_order_relaxed) == 0 || time < kWorthWaking) {
    return false;
  }
  if (wakes_to_skip_ > 0 && time < kAlwaysWorthWaking) {
    --wakes_to_skip_;
    return false;
  }
  wake(static_cast<int>(std::min<std::int64_t>(threads_, time / kWorthWaking)));
  return true;
}

void Team::share_ranges(std::int64_t count, Work work) {
  const int members = static_cast<int>(std::min<std::int64_t>(threads_, count));
  if (members <= 1) {
    work.call(work.body, 0, count, 0);
    return;
  }
  Past& past = past_of(count, work);
  const bool is_new = past.time == past.time.zero();
  std::int64_t done = 0;
  if (!is_new && past.time < kWorthSharing) {
    // Alone, unless a first part shows that it is more than it was.
    const std::int64_t parts = std::min<std::int64_t>(kPieces * members, count);
    const Clock::time_point begin = Clock::now();
    done = count / parts;
    work.call(work.body, 0, done, 0);
    if ((Clock::now() - begin) * parts < 2 * kWorthSharing) {
      work.call(work.body, done, count, 0);
      past.add(Clock::now() - begin);
      return;
    }
  }
  start_helpers();
  work_ = work;
  const std::int64_t left = count - done;
  const auto begin_of = [&](int member) { return done + left * member / members; };
  const auto pieces_of = [&](int member) {
    return static_cast<int>(std::min<std::int64_t>(kPieces, begin_of(member + 1) - begin_of(member)));
  };
  int pieces = 0;
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
  const bool is_one_woken = wake_if_worth(is_new ? kAlwaysWorthWaking : past.time);
  const Clock::time_point begin = Clock::now();
  int taken = 0;
  if (take_piece(seats_[0], 0)) {
    past.add((Clock::now() - begin) * pieces);
    taken = 1 + take_pieces(0);
  } else {
    taken = take_pieces(0);
  }
  await_others();
  if (is_one_woken) {
    vain_wakes_ = taken == pieces ? std::min(vain_wakes_ + 1, kMostVainWakes) : 0;
    wakes_to_skip_ = vain_wakes_ == 0 ? 0 : 1 << vain_wakes_;
  }
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
    wake(threads_);  // which of them are called is not theirs to choose
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
      futex_wake(meetings_, INT_MAX);
    }
    return;
  }
  if (spin_until([&] { return meetings_.load(std::memory_order_acquire) != meeting; }, kSpin) == Spun::reached) {
    return;
  }
  sleeping_at_meeting_.fetch_add(1, std::memory_order_seq_cst);
  while (meetings_.load(std::memory_order_seq_cst) == meeting) {
    futex_wait(meetings_, meeting);
  }
  sleeping_at_meeting_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace duel

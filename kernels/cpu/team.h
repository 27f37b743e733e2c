// The threads of a CPU context: how they share work, and how they wait for it.
//
// A loop never waits for a thread that has not come. Its caller works at once; helpers that are awake take part, those
// that sleep are woken where what is left is worth it, and one that comes too late finds nothing to do. So a processor
// that is taken by another program costs its own share of the work and no more. How long a loop takes is measured as it
// runs: what is over sooner than a second thread could be of use is not shared at all. Who waits spins for a while
// (waking a thread takes longer than most gaps between two operators), then sleeps; where another program is seen to
// want the processor, it sleeps at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace duel {

class Team {
public:
  // The caller and `threads` - 1 helpers, who are started when they are first needed.
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return threads_; }

  // Calls body(begin, end, member) with ranges that together cover 0..count-1, in any order and side by side. `member`
  // is less than min(threads(), count), and no two calls that run at the same time have the same. Which ranges there
  // are, and who takes them, may differ from call to call: results must not depend on it.
  // Neither this nor `gather` may be called from within a body, or by two threads at once.
  template <class Body>
  void share(std::int64_t count, const Body& body) {
    const auto call = [](const void* own, std::int64_t begin, std::int64_t end, int member) {
      (*static_cast<const Body*>(own))(begin, end, member);
    };
    share_ranges(count, {call, &body});
  }

  // Calls body(member) once on each of `members` threads, all at the same time: they may wait for one another in it.
  template <class Body>
  void gather(int members, const Body& body) {
    const auto call = [](const void* own, std::int64_t, std::int64_t, int member) {
      (*static_cast<const Body*>(own))(member);
    };
    gather_members(members, {call, &body});
  }

  // From within a body of `gather`: waits until all `members` have come here.
  void meet(int members);

private:
  struct Work {
    void (*call)(const void* body, std::int64_t begin, std::int64_t end, int member);
    const void* body;
  };
  // A member's own part of a shared range. It is taken piece by piece, first by its member, then by whoever is free:
  // as long as nobody is late, each member works where it worked in the operator before, and finds it in its cache.
  struct alignas(64) Seat {
    std::atomic<int> left{0};  // pieces that nobody has taken
    std::atomic<bool> is_called{false};
    int pieces = 0;
    std::int64_t begin = 0, end = 0;
  };

  // What a loop takes in the time of one thread, by what it took before: the same code and count are nearly the same
  // work.
  struct Past {
    void (*call)(const void* body, std::int64_t begin, std::int64_t end, int member) = nullptr;
    std::int64_t count = 0;
    std::chrono::nanoseconds time{};
    void add(std::chrono::nanoseconds measured);
  };

  void share_ranges(std::int64_t count, Work work);
  Past& past_of(std::int64_t count, Work work);
  bool wake_if_worth(std::chrono::nanoseconds time);
  void gather_members(int members, Work work);
  void start_helpers();
  void help(int member);
  bool take_piece(Seat& seat, int member);
  int take_pieces(int member);
  void finish();
  void await_others();
  void announce();
  void wake(int helpers);
  enum class Spun { reached, in_vain, interrupted };
  template <class Reached>
  Spun spin_until(const Reached& reached, std::chrono::nanoseconds most) const;

  const int threads_;
  const bool spins_;  // false where there are fewer processors than threads: who spins may keep the other from working
  std::unique_ptr<Seat[]> seats_;
  std::vector<std::thread> helpers_;
  Work work_{};
  std::vector<Past> pasts_;                 // by a hash of what it is of
  int vain_wakes_ = 0, wakes_to_skip_ = 0;  // see wake_if_worth
  std::atomic<bool> is_stopping_{false};
  // The words that threads sleep on (futex), and how many do.
  alignas(64) std::atomic<std::uint32_t> calls_{0};       // changes with each piece of work: helpers wait for that
  alignas(64) std::atomic<std::uint32_t> unfinished_{0};  // pieces: the caller waits for 0
  alignas(64) std::atomic<std::uint32_t> meetings_{0};    // changes when all have met
  std::atomic<int> arrived_{0}, sleeping_{0}, sleeping_at_meeting_{0};
  std::atomic<bool> caller_sleeps_{false};
};

}  // namespace duel

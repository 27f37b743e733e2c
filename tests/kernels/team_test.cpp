#include "kernels/cpu/team.h"

#include <gtest/gtest.h>

#include <signal.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <numeric>
#include <thread>
#include <vector>

namespace duel {
namespace {

// Each element is visited once, whatever the number of threads and of elements, call after call.
TEST(TeamTest, ShareCoversEachElementOnce) {
  for (const int threads : {1, 2, 3, 5}) {
    Team team(threads);
    for (int round = 0; round < 300; ++round) {
      const std::int64_t count = round % 70;
      std::vector<int> visits(count, 0);
      std::vector<int> calls(threads, 0);  // plain: no two calls at the same time have the same member
      team.share(count, [&](std::int64_t begin, std::int64_t end, int member) {
        ++calls[member];
        for (std::int64_t i = begin; i < end; ++i) {
          ++visits[i];
        }
      });
      ASSERT_EQ(visits, std::vector<int>(count, 1)) << threads << " threads, " << count << " elements";
    }
  }
}

// What a body wrote is seen by the caller, and by the bodies of the next call.
TEST(TeamTest, ResultsAreSeenByTheNextCall) {
  Team team(3);
  std::vector<long> values(64, 0);
  for (int round = 0; round < 500; ++round) {
    team.share(64, [&](std::int64_t begin, std::int64_t end, int) {
      for (std::int64_t i = begin; i < end; ++i) {
        values[i] = values[i] + 1;
      }
    });
  }
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), 0L), 64 * 500);
}

// A helper that does not come back from its piece holds up nothing but that piece: the caller does all others.
TEST(TeamTest, ALateHelperLeavesItsWorkToTheCaller) {
  Team team(2);
  std::latch is_held(1), is_rest_done(1);
  std::atomic<int> by_caller{0};
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> is_one_held{false};
  team.share(16, [&](std::int64_t begin, std::int64_t end, int) {
    if (std::this_thread::get_id() != caller) {
      if (!is_one_held.exchange(true)) {
        is_held.count_down();
        is_rest_done.wait();  // of the other 15: it could not end if they were the helper's
      }
      return;
    }
    is_held.wait();
    if (by_caller.fetch_add(static_cast<int>(end - begin)) + (end - begin) == 15) {
      is_rest_done.count_down();
    }
  });
  EXPECT_EQ(by_caller, 15);
}

// What is over in no time is not cut into pieces, once it was seen to be so.
TEST(TeamTest, SmallWorkStaysWithTheCaller) {
  Team team(2);
  int whole = 0;
  for (int round = 0; round < 1000; ++round) {
    std::atomic<int> calls{0};
    team.share(1000, [&](std::int64_t, std::int64_t, int) { calls.fetch_add(1); });
    whole += calls <= 2 ? 1 : 0;  // a first part, and the rest
  }
  EXPECT_GE(whole, 500);  // a caller who was interrupted took it for large work, for a while
}

// The same loop, now small, now large: whoever believes that it is still small finds out in its first part.
TEST(TeamTest, WorkThatGrewIsShared) {
  Team team(2);
  for (int round = 0; round < 5; ++round) {
    for (const int microseconds : {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 300}) {
      std::vector<int> visits(40, 0);
      team.share(40, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t i = begin; i < end; ++i) {
          ++visits[i];
          std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
        }
      });
      ASSERT_EQ(visits, std::vector<int>(40, 1));
    }
  }
}

TEST(TeamTest, GatheredMembersRunAtTheSameTimeAndMeet) {
  for (const int members : {1, 2, 3, 4}) {
    Team team(4);
    for (int round = 0; round < 100; ++round) {
      std::vector<int> first(members, 0), sums(members, 0);
      team.gather(members, [&](int member) {
        first[member] = member + 1;
        team.meet(members);
        sums[member] = std::accumulate(first.begin(), first.end(), 0);
        team.meet(members);
        first[member] = 0;
      });
      ASSERT_EQ(sums, std::vector<int>(members, members * (members + 1) / 2));
    }
  }
}

// The ways of waking, and sleeping, of both kinds in turn: pauses let the helpers sleep.
TEST(TeamTest, HelpersThatSleepAreWoken) {
  Team team(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> met{0};
    team.gather(2, [&](int) {
      met.fetch_add(1);
      team.meet(2);
    });
    EXPECT_EQ(met, 2);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<std::int64_t> done{0};
    team.share(100, [&](std::int64_t begin, std::int64_t end, int) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      done.fetch_add(end - begin);
    });
    EXPECT_EQ(done, 100);
  }
}

TEST(TeamTest, HelpersTakeNoSignals) {
  Team team(2);
  std::atomic<int> blocked{0};
  team.gather(2, [&](int member) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (member == 1) {
      blocked = sigismember(&mask, SIGTERM) + sigismember(&mask, SIGINT) + sigismember(&mask, SIGHUP);
    }
  });
  EXPECT_EQ(blocked, 3);
}

TEST(TeamTest, ATeamThatNeverWorkedAndOneJustStartedEnd) {
  for (int round = 0; round < 50; ++round) {
    Team idle(4);
    Team started(4);
    started.share(2, [](std::int64_t, std::int64_t, int) {});
  }
}

}  // namespace
}  // namespace duel

// Jobs run in order, one at a time; what they throw comes out, and only once.
#include "host/run/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace duel::test {
namespace {

TEST(Background, DoesJobsInOrder) {
  std::vector<int> done;
  {
    Background background;
    for (int i = 0; i < 100; ++i) {
      background.add([&done, i] { done.push_back(i); });
    }
  }  // finishes what it has
  ASSERT_EQ(done.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  }
}

TEST(Background, HoldsAtMostOneJobThatIsNotBegun) {
  std::atomic<int> begun = 0, added = 0;
  std::atomic<bool> go = false;
  Background background;
  std::jthread adder([&] {
    for (int i = 0; i < 5; ++i) {
      background.add([&] {
        ++begun;
        while (!go) {
          std::this_thread::yield();
        }
      });
      ++added;
    }
  });
  while (begun < 1 || added < 2) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(added, 2);
  go = true;
  adder.join();
  background.finish();
  EXPECT_EQ(begun, 5);
}

TEST(Background, AFailureComesOutOnceAndLeavesOutWhatFollowed) {
  bool later = false;
  Background background;
  std::atomic<bool> go = false;
  background.add([&] {
    while (!go) {
      std::this_thread::yield();
    }
    throw std::runtime_error("disk full");
  });
  background.add([&] { later = true; });
  go = true;
  EXPECT_THROW(background.finish(), std::runtime_error);
  EXPECT_FALSE(later);
  background.finish();
  background.add([&] { later = true; });
  background.finish();
  EXPECT_TRUE(later);
}

}  // namespace
}  // namespace duel::test

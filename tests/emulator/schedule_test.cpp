// Orders of execution: each differs from the others, and each comes again.
#include "emulator/device.h"
#include "kernels/cuda/platform.cuh"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace duel::emulator {

namespace {

// Appends who runs, twice: before and after a barrier.
__global__ void log_kernel(int* log, int* count) {
  const int name = static_cast<int>(blockIdx.x * 100 + threadIdx.x);
  log[atomicAdd(count, 1)] = name;
  __syncthreads();
  log[atomicAdd(count, 1)] = name;
}

constexpr int kBlocks = 3, kThreads = 96;

std::vector<int> run_with(Options chosen) {
  std::vector<int> log(2 * kBlocks * kThreads);
  int count = 0;
  const Options before = options();
  options() = chosen;
  launch(log_kernel, kBlocks, kThreads, 0, nullptr, log.data(), &count);
  options() = before;
  return log;
}

TEST(EmulatorScheduleTest, ForwardAndReverse) {
  std::vector<int> forward;
  for (int block = 0; block < kBlocks; ++block) {
    for (int phase = 0; phase < 2; ++phase) {
      for (int thread = 0; thread < kThreads; ++thread) {
        // The last to arrive does not wait: it is the first to go on.
        forward.push_back(block * 100 + (phase == 0 ? thread : (thread + kThreads - 1) % kThreads));
      }
    }
  }
  EXPECT_EQ(run_with({Order::forward, 1}), forward);
  const std::vector<int> reverse = run_with({Order::reverse, 1});
  EXPECT_EQ(reverse.front(), (kBlocks - 1) * 100 + kThreads - 1);
  EXPECT_EQ(reverse.back(), 0);
  EXPECT_TRUE(std::is_sorted(reverse.rbegin(), reverse.rbegin() + kThreads));
}

TEST(EmulatorScheduleTest, EveryThreadRunsInEveryOrder) {
  std::vector<int> all = run_with({Order::forward, 1});
  std::sort(all.begin(), all.end());
  for (const Order order : {Order::reverse, Order::random, Order::greedy}) {
    std::vector<int> log = run_with({order, 7});
    std::sort(log.begin(), log.end());
    EXPECT_EQ(log, all) << to_string(order);
  }
}

TEST(EmulatorScheduleTest, SeedsGiveOtherOrdersThatComeAgain) {
  for (const Order order : {Order::random, Order::greedy}) {
    EXPECT_EQ(run_with({order, 1}), run_with({order, 1})) << to_string(order);
    EXPECT_NE(run_with({order, 1}), run_with({order, 2})) << to_string(order);
  }
  EXPECT_NE(run_with({Order::random, 1}), run_with({Order::greedy, 1}));
}

// How often the log goes on with another warp than the one before.
int changes_of_warp(const std::vector<int>& log) {
  int changes = 0;
  for (std::size_t i = 1; i < log.size(); ++i) {
    changes += log[i] / 100 != log[i - 1] / 100 || log[i] % 100 / 32 != log[i - 1] % 100 / 32 ? 1 : 0;
  }
  return changes;
}

TEST(EmulatorScheduleTest, GreedyStaysWithAWarp) {
  EXPECT_LT(5 * changes_of_warp(run_with({Order::greedy, 3})), changes_of_warp(run_with({Order::random, 3})));
}

TEST(EmulatorScheduleTest, BlocksAreShuffled) {
  const std::vector<std::uint64_t> order = block_order({Order::random, 1}, 100);
  std::vector<std::uint64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_NE(order, sorted);
  EXPECT_EQ(sorted, block_order({Order::forward, 1}, 100));
}

}  // namespace

}  // namespace duel::emulator

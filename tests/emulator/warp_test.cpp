// Shuffles, votes and atomics against what the CUDA programming guide says of them.
#include "emulator/device.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace duel::emulator {

namespace {

constexpr unsigned kAll = 0xFFFFFFFF;

struct ShuffleCase {
  Shuffle kind;
  int operand, width;
  int expected[32];  // the lane whose value each lane gets
};

// From the programming guide, "Warp Shuffle Functions": within each group of `width` lanes; up and down leave a lane
// its own value where the other would be outside; exclusive_or may read the groups before, but not those behind.
const ShuffleCase kShuffleCases[] = {
    {Shuffle::from_lane, 5, 32, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
                                 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}},
    {Shuffle::from_lane, 9, 8, {1,  1,  1,  1,  1,  1,  1,  1,  9,  9,  9,  9,  9,  9,  9,  9,
                                17, 17, 17, 17, 17, 17, 17, 17, 25, 25, 25, 25, 25, 25, 25, 25}},
    {Shuffle::up, 3, 32, {0,  1,  2,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
                          13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28}},
    {Shuffle::up, 2, 4, {0,  1,  0,  1,  4,  5,  4,  5,  8,  9,  8,  9,  12, 13, 12, 13,
                         16, 17, 16, 17, 20, 21, 20, 21, 24, 25, 24, 25, 28, 29, 28, 29}},
    {Shuffle::down, 30, 32, {30, 31, 2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                             16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}},
    {Shuffle::down, 1, 4, {1,  2,  3,  3,  5,  6,  7,  7,  9,  10, 11, 11, 13, 14, 15, 15,
                           17, 18, 19, 19, 21, 22, 23, 23, 25, 26, 27, 27, 29, 30, 31, 31}},
    {Shuffle::exclusive_or, 1, 32, {1,  0,  3,  2,  5,  4,  7,  6,  9,  8,  11, 10, 13, 12, 15, 14,
                                    17, 16, 19, 18, 21, 20, 23, 22, 25, 24, 27, 26, 29, 28, 31, 30}},
    {Shuffle::exclusive_or, 16, 16, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
                                     0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
};

template <class T>
__global__ void shuffle_kernel(T* y, Shuffle kind, int operand, int width) {
  const T own = static_cast<T>(threadIdx.x);
  T got{};
  switch (kind) {
    case Shuffle::from_lane: got = __shfl_sync(kAll, own, operand, width); break;
    case Shuffle::up: got = __shfl_up_sync(kAll, own, static_cast<unsigned>(operand), width); break;
    case Shuffle::down: got = __shfl_down_sync(kAll, own, static_cast<unsigned>(operand), width); break;
    case Shuffle::exclusive_or: got = __shfl_xor_sync(kAll, own, operand, width); break;
  }
  y[threadIdx.x] = got;
}

template <class T>
void check_shuffles() {
  for (const Order order : {Order::forward, Order::reverse, Order::random, Order::greedy}) {
    options().order = order;
    for (const ShuffleCase& shuffle_case : kShuffleCases) {
      std::vector<T> y(32);
      launch(shuffle_kernel<T>, 1, 32, 0, nullptr, y.data(), shuffle_case.kind, shuffle_case.operand,
             shuffle_case.width);
      for (int lane = 0; lane < 32; ++lane) {
        EXPECT_EQ(y[lane], static_cast<T>(shuffle_case.expected[lane]))
            << "lane " << lane << ", kind " << static_cast<int>(shuffle_case.kind) << ", operand "
            << shuffle_case.operand << ", width " << shuffle_case.width;
      }
    }
  }
  options() = {};
}

TEST(EmulatorWarpTest, Shuffles) {
  check_shuffles<int>();
  check_shuffles<float>();
  check_shuffles<double>();
  check_shuffles<unsigned long long>();
}

// Each lane asks for another one, and half-warps go their own ways.
__global__ void reverse_halves_kernel(float* y) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  float value = static_cast<float>(threadIdx.x);
  if (lane < 16) {
    value = __shfl_sync(0x0000FFFFU, value, 15 - lane);
    value = __shfl_sync(0x0000FFFFU, value, 15 - lane);
    value = __shfl_sync(0x0000FFFFU, value, 15 - lane);
  } else {
    value = __shfl_sync(0xFFFF0000U, value, 47 - lane);
  }
  y[threadIdx.x] = value;
}

TEST(EmulatorWarpTest, PartsOfAWarp) {
  for (const Order order : {Order::forward, Order::reverse, Order::random, Order::greedy}) {
    options().order = order;
    std::vector<float> y(64);
    launch(reverse_halves_kernel, 1, 64, 0, nullptr, y.data());
    for (int thread = 0; thread < 64; ++thread) {
      const int first = thread / 16 * 16;
      EXPECT_EQ(y[thread], static_cast<float>(first + 15 - thread % 16)) << thread;
    }
  }
  options() = {};
}

__global__ void votes_kernel(unsigned* y) {
  const bool is_third = threadIdx.x % 3 == 0;
  y[threadIdx.x * 3] = __ballot_sync(kAll, is_third);
  y[threadIdx.x * 3 + 1] = static_cast<unsigned>(__any_sync(kAll, threadIdx.x == 40));
  y[threadIdx.x * 3 + 2] = static_cast<unsigned>(__all_sync(kAll, threadIdx.x != 40));
}

TEST(EmulatorWarpTest, Votes) {
  std::vector<unsigned> y(3 * 64);
  launch(votes_kernel, 1, 64, 0, nullptr, y.data());
  for (unsigned thread = 0; thread < 64; ++thread) {
    unsigned ballot = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
      ballot |= (thread / 32 * 32 + lane) % 3 == 0 ? 1U << lane : 0;
    }
    EXPECT_EQ(y[thread * 3], ballot);
    EXPECT_EQ(y[thread * 3 + 1], thread / 32);
    EXPECT_EQ(y[thread * 3 + 2], 1 - thread / 32);
  }
}

struct Counters {
  int sum = 0, difference = 0, least = 1000, most = -1000, swaps = 0, last = -1;
  unsigned ones = 0, zeros = kAll;
  float float_sum = 0;
  double double_sum = 0;
  unsigned long long wide_sum = 0;
};

__global__ void atomics_kernel(Counters* counters) {
  const int thread = static_cast<int>(threadIdx.x);
  atomicAdd(&counters->sum, thread);
  atomicSub(&counters->difference, thread);
  atomicMin(&counters->least, thread);
  atomicMax(&counters->most, thread);
  atomicOr(&counters->ones, 1U << thread % 32);
  atomicAnd(&counters->zeros, ~(1U << thread % 16));
  atomicAdd(&counters->float_sum, 0.5F);
  atomicAdd(&counters->double_sum, 0.25);
  atomicAdd(&counters->wide_sum, 1ULL << 40);
  if (atomicExch(&counters->last, thread) == -1) {
    atomicAdd(&counters->swaps, 1);  // once: the first
  }
  if (atomicCAS(&counters->swaps, 1, 1) != 1) {
    atomicAdd(&counters->swaps, 1000);  // never: it is 1 from the first thread on
  }
}

TEST(EmulatorWarpTest, Atomics) {
  Counters counters;
  launch(atomics_kernel, 1, 64, 0, nullptr, &counters);
  EXPECT_EQ(counters.sum, 2016);
  EXPECT_EQ(counters.difference, -2016);
  EXPECT_EQ(counters.least, 0);
  EXPECT_EQ(counters.most, 63);
  EXPECT_EQ(counters.ones, kAll);
  EXPECT_EQ(counters.zeros, 0xFFFF0000);
  EXPECT_EQ(counters.float_sum, 32.0F);
  EXPECT_EQ(counters.double_sum, 16.0);
  EXPECT_EQ(counters.wide_sum, 64ULL << 40);
  EXPECT_EQ(counters.swaps, 1);
}

}  // namespace

}  // namespace duel::emulator

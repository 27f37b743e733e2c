// Launches: what a kernel is told, what is refused, what an error says, and which kernels have run.
#include "emulator/device.h"
#include "emulator/symbol_name.h"
#include "kernels/cuda/platform.cuh"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace duel::emulator {

namespace {

__global__ void indices_kernel(int* sum, dim3 blocks, dim3 threads) {
  const bool is_told = gridDim.x == blocks.x && gridDim.y == blocks.y && gridDim.z == blocks.z &&
                       blockDim.x == threads.x && blockDim.y == threads.y && blockDim.z == threads.z;
  const bool is_inside = blockIdx.x < blocks.x && blockIdx.y < blocks.y && blockIdx.z < blocks.z &&
                         threadIdx.x < threads.x && threadIdx.y < threads.y && threadIdx.z < threads.z;
  const int thread = static_cast<int>((threadIdx.z * threads.y + threadIdx.y) * threads.x + threadIdx.x);
  const int block = static_cast<int>((blockIdx.z * blocks.y + blockIdx.y) * blocks.x + blockIdx.x);
  atomicAdd(sum + block * 64 + thread, is_told && is_inside ? 1 : 100);
}

TEST(EmulatorLaunchTest, EveryThreadKnowsWhoItIs) {
  const dim3 blocks(3, 2, 2), threads(8, 4, 2);
  std::vector<int> sums(12 * 64, 0);
  launch(indices_kernel, blocks, threads, 0, nullptr, sums.data(), blocks, threads);
  EXPECT_EQ(sums, std::vector<int>(12 * 64, 1));
}

template <int Unused>
__global__ void vote_kernel(int* y) {
  const int thread = static_cast<int>(threadIdx.x);
  y[thread * 3] = __syncthreads_count(thread % 3 == 0);
  y[thread * 3 + 1] = __syncthreads_or(thread == 63);
  y[thread * 3 + 2] = __syncthreads_and(thread != 63);
}

TEST(EmulatorLaunchTest, VotesOfABlock) {
  std::vector<int> y(3 * 64);
  launch(vote_kernel<0>, 1, 64, 0, nullptr, y.data());
  for (int thread = 0; thread < 64; ++thread) {
    EXPECT_EQ(y[thread * 3], 22);
    EXPECT_EQ(y[thread * 3 + 1], 1);
    EXPECT_EQ(y[thread * 3 + 2], 0);
  }
}

__global__ void nothing_kernel() {}

TEST(EmulatorLaunchTest, RefusesWhatCudaRefuses) {
  const auto is_refused = [](dim3 blocks, dim3 threads, std::size_t shared_bytes) {
    try {
      launch(nothing_kernel, blocks, threads, shared_bytes, nullptr);
      return false;
    } catch (const Error& error) {
      return std::strstr(error.what(), "invalid launch") != nullptr;
    }
  };
  EXPECT_FALSE(is_refused(1, 1024, 227 << 10));
  EXPECT_TRUE(is_refused(0, 32, 0));
  EXPECT_TRUE(is_refused(dim3(1, 65536), 32, 0));
  EXPECT_TRUE(is_refused(1, 0, 0));
  EXPECT_TRUE(is_refused(1, dim3(1024, 2), 0));
  EXPECT_TRUE(is_refused(1, dim3(1, 1, 65), 0));
  EXPECT_TRUE(is_refused(1, 32, (227 << 10) + 1));
}

__global__ void large_shared_kernel(float* y) {
  DUEL_SHARED(first, float[8192]);
  DUEL_SHARED(second, float[8192]);
  first[threadIdx.x] = second[threadIdx.x] = 0;
  y[threadIdx.x] = first[threadIdx.x];
}

__global__ void divergent_kernel() {
  if (threadIdx.x < 32) {
    __syncthreads();
  }
}

TEST(EmulatorLaunchTest, AnErrorSaysWhereAndUnderWhichSchedule) {
  options() = {Order::greedy, 5};
  try {
    launch(divergent_kernel, 1, 64, 0, nullptr);
    ADD_FAILURE();
  } catch (const Error& error) {
    for (const char* part : {"block (0,0,0)", "thread (", "barrier at launch_test.cpp:", "order greedy, seed 5"}) {
      EXPECT_NE(std::strstr(error.what(), part), nullptr) << part << ": " << error.what();
    }
  }
  options() = {};
  std::vector<int> y(3 * 64);
  launch(vote_kernel<0>, 1, 64, 0, nullptr, y.data());  // the emulator goes on after a failure
  EXPECT_EQ(y[0], 22);
}

TEST(EmulatorLaunchTest, StaticSharedMemoryHasALimit) {
  std::vector<float> y(32);
  EXPECT_THROW(launch(large_shared_kernel, 1, 32, 0, nullptr, y.data()), Error);
}

// Aligned as said and no better; full of NaN; another's for another block, even of the same place.
__global__ void shared_kernel(int* wrong) {
  DUEL_SHARED(halves, Bf16[6]);
  DUEL_SHARED_ALIGNED(16, vectors, float[3]);
  DUEL_DYNAMIC_SHARED(float, dynamic);
  const auto is_at = [](const void* data, unsigned align) {
    return reinterpret_cast<std::uintptr_t>(data) % (2 * align) == align;
  };
  if (!is_at(halves, 2) || !is_at(vectors, 16) || !is_at(dynamic, 16)) {
    atomicAdd(wrong, 1);
  }
  if (threadIdx.x == 0 && (!std::isnan(vectors[2]) || !std::isnan(dynamic[7]) || !std::isnan(to_float(halves[5])))) {
    atomicAdd(wrong, 100);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    vectors[2] = dynamic[7] = 1.0F;
    halves[5] = from_float<Bf16>(1.0F);
  }
}

TEST(EmulatorLaunchTest, SharedMemoryIsFreshAndNoBetterAlignedThanSaid) {
  int wrong = 0;
  launch(shared_kernel, 3, 32, 8 * sizeof(float), nullptr, &wrong);
  EXPECT_EQ(wrong, 0);
}

TEST(EmulatorLaunchTest, KnowsWhichKernelsHaveRun) {
  std::vector<int> y(3 * 64);
  launch(vote_kernel<7>, 1, 64, 0, nullptr, y.data());
  launch(nothing_kernel, 1, 32, 0, nullptr);
  const std::set<std::string> names = launched_kernels();
  EXPECT_TRUE(names.contains("vote_kernel"));
  EXPECT_TRUE(names.contains("nothing_kernel"));
  EXPECT_FALSE(names.contains("never_launched_kernel"));
  EXPECT_FALSE(names.contains("?"));
}

TEST(EmulatorLaunchTest, NamesWithoutWhatSurroundsThem) {
  EXPECT_EQ(base_name("void duel::map_kernel<float, duel::(anonymous namespace)::Add, float>(float*, long)"),
            "map_kernel");
  EXPECT_EQ(base_name("duel::(anonymous namespace)::fill_kernel(float*)"), "fill_kernel");
  EXPECT_EQ(base_name("main"), "main");
}

}  // namespace

}  // namespace duel::emulator

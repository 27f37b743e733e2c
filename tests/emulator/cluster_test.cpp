// Clusters: which blocks they are made of, what they see of one another, and what is refused.
#include "emulator/device.h"
#include "kernels/cuda/instructions.cuh"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace duel::emulator {

namespace {

// Every block leaves its number in the grid, and every thread adds up those of its cluster.
__global__ void sum_of_cluster_kernel(int* sums, int* order, unsigned size) {
  DUEL_SHARED(unused, double[3]);
  DUEL_SHARED(own, int[32]);
  DUEL_DYNAMIC_SHARED(int, dynamic);
  const int block = static_cast<int>((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x);
  const int thread = static_cast<int>(threadIdx.x);
  unused[thread % 3] = 0;
  own[thread] = block;
  dynamic[thread] = 1000 * block;
  cluster_barrier();
  for (unsigned rank = 0; rank < size; ++rank) {
    sums[block * 32 + thread] += *in_cluster(own + 31 - thread, rank) + *in_cluster(dynamic + thread, rank);
    if (thread == 0) {
      order[block] = 10 * order[block] + *in_cluster(own, rank);
    }
  }
  cluster_barrier();
}

class EmulatorClusterTest : public testing::TestWithParam<Order> {
protected:
  void SetUp() override { options() = {GetParam(), 3}; }
  void TearDown() override { options() = {}; }
};

TEST_P(EmulatorClusterTest, BlocksReadOneAnothersMemory) {
  std::vector<int> sums(8 * 32, 0), order(8, 0);
  launch_clusters(sum_of_cluster_kernel, dim3(2, 1, 4), 32, dim3(1, 1, 4), 32 * sizeof(int), nullptr, sums.data(),
                  order.data(), 4U);
  for (int block = 0; block < 8; ++block) {
    // Of a grid of 2 x 1 x 4 blocks a cluster has those of one x: 0, 2, 4, 6 or 1, 3, 5, 7.
    EXPECT_EQ(sums[block * 32 + 5], 1001 * (block % 2 == 0 ? 12 : 16)) << block;
  }
}

TEST_P(EmulatorClusterTest, RanksGoByXThenYThenZ) {
  std::vector<int> sums(16 * 32, 0), order(16, 0);
  launch_clusters(sum_of_cluster_kernel, dim3(4, 2, 2), 32, dim3(2, 2, 1), 32 * sizeof(int), nullptr, sums.data(),
                  order.data(), 4U);
  EXPECT_EQ(order[0], 145);   // 0, 1, 4, 5
  EXPECT_EQ(order[7], 2367);  // 2, 3, 6, 7
  EXPECT_EQ(order[8], 9033);  // 8, 9, 12, 13: 8 * 1000 + 9 * 100 + 12 * 10 + 13
}

INSTANTIATE_TEST_SUITE_P(orders, EmulatorClusterTest,
                         testing::Values(Order::forward, Order::reverse, Order::random, Order::greedy),
                         [](const auto& each) { return to_string(each.param); });

std::string what_is_wrong(dim3 blocks, dim3 cluster, void (*kernel)(int)) {
  try {
    launch_clusters(kernel, blocks, 32, cluster, 0, nullptr, 9);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

__global__ void beyond_kernel(int rank) {
  DUEL_SHARED(own, int[32]);
  own[threadIdx.x] = 0;
  cluster_barrier();
  in_cluster(own, static_cast<unsigned>(rank));
}

__global__ void not_shared_kernel(int number) {
  in_cluster(&number, 0);
}

__global__ void not_yet_there_kernel(int) {
  DUEL_SHARED(own, int[32]);
  in_cluster(own, 1);
}

__global__ void nothing_kernel(int) {}

TEST(EmulatorClusterErrors, SayWhatIsWrong) {
  EXPECT_EQ(what_is_wrong(8, 8, nothing_kernel), "");
  EXPECT_EQ(what_is_wrong(18, 9, nothing_kernel), "invalid launch: clusters of 9 x 1 x 1 of 18 x 1 x 1 blocks");
  EXPECT_EQ(what_is_wrong(6, 4, nothing_kernel), "invalid launch: clusters of 4 x 1 x 1 of 6 x 1 x 1 blocks");
  EXPECT_NE(what_is_wrong(2, 2, beyond_kernel).find("rank 9 in a cluster of 2 blocks"), std::string::npos);
  EXPECT_NE(what_is_wrong(2, 2, not_shared_kernel).find("the address is not in shared memory"), std::string::npos);
  EXPECT_NE(what_is_wrong(2, 2, not_yet_there_kernel).find("block 1 of the cluster has no such array yet"),
            std::string::npos);
}

}  // namespace

}  // namespace duel::emulator

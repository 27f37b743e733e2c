#include "engine/nn/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace duel::test {
namespace {

using Block = Parameters::Block;

TEST(Parameters, StartGlorotUniformAndBiasesAtZero) {
  Context context = Context::cpu(2);
  Parameters parameters("net");
  parameters.declare("weight", {300, 100}, Initial::glorot(300, 100));
  parameters.declare("bias", {100}, {});
  parameters.allocate(context, {true, true, false});
  parameters.initialize(context, 5, 0);
  const std::vector<float> weights = download<float>(context, parameters.view(Block::master, parameters.list()[0]));
  const double limit = std::sqrt(6.0 / 400);
  double sum = 0, squares = 0, largest = 0;
  for (const float w : weights) {
    sum += static_cast<double>(w);
    squares += static_cast<double>(w) * static_cast<double>(w);
    largest = std::max(largest, std::fabs(static_cast<double>(w)));
  }
  EXPECT_LE(largest, limit);
  EXPECT_GT(largest, 0.999 * limit);
  EXPECT_NEAR(sum / 30000, 0, 4 * limit / std::sqrt(3.0 * 30000));
  EXPECT_NEAR(squares / 30000, limit * limit / 3, 0.01 * limit * limit);
  EXPECT_EQ(download<float>(context, parameters.view(Block::master, parameters.list()[1])),
            std::vector<float>(100, 0.0F));
  EXPECT_EQ(download<float>(context, parameters.view(Block::average)),
            download<float>(context, parameters.view(Block::master)));
}

TEST(Parameters, SeedsNetworksAndParametersDrawApart) {
  Context context = Context::cpu(2);
  const auto draw = [&](std::uint64_t seed, std::uint32_t network) {
    Parameters parameters("net");
    parameters.declare("first", {8, 8}, Initial::glorot(8, 8));
    parameters.declare("second", {8, 8}, Initial::glorot(8, 8));
    parameters.allocate(context, {});
    parameters.initialize(context, seed, network);
    return download<float>(context, parameters.view(Block::master));
  };
  const std::vector<float> base = draw(1, 0);
  EXPECT_EQ(base, draw(1, 0));
  EXPECT_NE(base, draw(2, 0));
  EXPECT_NE(base, draw(1, 1));
  EXPECT_NE(base[0], base[64]);
}

TEST(Parameters, BlocksKeepParametersAlignedAndGapsZero) {
  Context context = Context::cpu(2);
  Parameters parameters("net");
  parameters.declare("a", {3, 3}, Initial::glorot(3, 3));
  parameters.declare("b", {5}, {});
  parameters.declare("c", {2, 2}, Initial::glorot(2, 2));
  parameters.allocate(context, {true, false, true});
  parameters.initialize(context, 3, 0);
  EXPECT_EQ(parameters.parameter_count(), 9 + 5 + 4);
  EXPECT_EQ(parameters.list()[2].offset, 32);
  const std::vector<float> master = download<float>(context, parameters.view(Block::master));
  for (int i = 9; i < 32; ++i) {
    EXPECT_EQ(master[static_cast<std::size_t>(i)], 0.0F);
  }
  // The bf16 copy is the master, rounded.
  const auto compute = download<std::uint16_t>(context, parameters.view(Block::compute));
  for (std::size_t i = 0; i < master.size(); ++i) {
    const std::uint32_t bits = std::uint32_t{compute[i]} << 16;
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    EXPECT_NEAR(value, master[i], std::fabs(master[i]) / 256);
  }
}

TEST(Parameters, WhatBlocksTakeIsKnownBefore) {
  Context context = Context::cpu(1);
  for (const Parameters::Blocks blocks :
       {Parameters::Blocks{}, {false, true, false}, {true, true, true}, {false, false, false}}) {
    Parameters parameters("net");
    parameters.declare("a", {3, 3}, Initial::glorot(3, 3));
    parameters.declare("b", {17}, {});
    const std::size_t planned = parameters.bytes_of(blocks);
    parameters.allocate(context, blocks);
    EXPECT_EQ(parameters.allocated_bytes(), planned);
  }
}

}  // namespace
}  // namespace duel::test

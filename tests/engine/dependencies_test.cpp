// Dependencies against the plain rule, pair by pair, on programs drawn by chance; and what finding them takes.
#include "engine/program/dependencies.h"

#include "engine/nn/layers.h"
#include "engine/ops/ops.h"
#include "engine/program/memory_plan.h"
#include "engine/rewrite/differentiate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace duel::test {
namespace {

// Whether two values share bytes: of one storage, or one array of the program.
bool share(const Program& program, Value a, Value b) {
  if (!a.exists() || !b.exists()) {
    return false;
  }
  const Value one = program.root(a), other = program.root(b);
  const Binding &first = program.binding(one), &second = program.binding(other);
  if (!first.exists() || !second.exists()) {
    return one == other;
  }
  return first.storage == second.storage && first.offset < second.offset + program.described(other).bytes() &&
         second.offset < first.offset + program.described(one).bytes();
}

bool share(const Program& program, const std::vector<Value>& some, const std::vector<Value>& others) {
  return std::any_of(some.begin(), some.end(), [&](Value a) {
    return std::any_of(others.begin(), others.end(), [&](Value b) { return share(program, a, b); });
  });
}

// The rule: a node depends on an earlier one where either writes what the other reads or writes.
std::vector<std::vector<int>> pairwise_dependencies(const Program& program) {
  std::vector<std::vector<int>> dependencies;
  const auto written_by = [](const Node& node) {
    std::vector<Value> written = node.outputs;
    written.insert(written.end(), node.writes.begin(), node.writes.end());
    return written;
  };
  for (std::size_t i = 0; i < program.nodes().size(); ++i) {
    const Node& node = program.nodes()[i];
    const std::vector<Value> written = written_by(node);
    dependencies.emplace_back();
    for (std::size_t k = 0; k < i; ++k) {
      const Node& other = program.nodes()[k];
      const std::vector<Value> others = written_by(other);
      if (share(program, others, node.inputs) || share(program, others, written) ||
          share(program, other.inputs, written)) {
        dependencies.back().push_back(static_cast<int>(k));
      }
    }
  }
  return dependencies;
}

// Nodes that read some values and write others: arrays of the program, reshaped here and there, and ranges of three
// storages, which overlap in every way.
Program record_by_chance(unsigned seed, int nodes) {
  std::mt19937 random(seed);
  const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  Program program;
  std::vector<Value> live = {program.bind("a", {4}, DType::f32)};
  const auto range = [&] {
    const std::string storage(1, static_cast<char>('a' + pick(3)));
    return program.bind(storage, {1 + static_cast<int>(pick(9))}, DType::f32, 4 * pick(24));
  };
  for (int i = 0; i < nodes; ++i) {
    Node node;
    node.op = "any";
    for (std::size_t k = pick(4); k > 0; --k) {
      const Value input = pick(3) == 0 ? range() : pick(8) == 0 ? Value{} : live[pick(live.size())];
      node.inputs.push_back(input);
    }
    if (pick(4) == 0) {
      node.writes = {range()};
      node.inputs.push_back(node.writes[0]);
      program.record_effect(std::move(node));
      continue;
    }
    const Value output = program.record(std::move(node), {4}, DType::f32);
    live.push_back(pick(4) == 0 ? program.reshape(output, {2, 2}) : output);
    if (pick(4) == 0) {
      program.place_at(output, program.bind("b", {4}, DType::f32, 4 * pick(24)));
    }
    if (live.size() > 6) {
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(pick(live.size())));
    }
  }
  return program;
}

TEST(Dependencies, AreThoseOfThePlainRule) {
  std::size_t found = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const Program program = record_by_chance(seed, 80);
    const std::vector<std::vector<int>> expected = pairwise_dependencies(program);
    ASSERT_EQ(find_dependencies(program), expected) << "program " << seed;
    for (const std::vector<int>& earlier : expected) {
      found += earlier.size();
    }
  }
  EXPECT_GT(found, 20000U);
}

// A network of `layers` dense layers in training: forward, backward, gradients in their block, its norm, Adam, the
// moving average, the counter.
Program record_training(int layers) {
  Parameters parameters("net");
  std::vector<Dense> dense;
  for (int i = 0; i < layers; ++i) {
    dense.emplace_back(parameters, fmt::format("dense{}", i), 8, 8, Activation{ActivationKind::tanh});
  }
  Program program;
  using Block = Parameters::Block;
  const auto block = [&](Block which) { return bind_block(program, parameters, which); };
  const BoundParameters weights(program, parameters, Block::master, false);
  const Value step = program.bind("step", {1}, DType::i64);
  Value x = ops::random_normal(program, {}, step, {4, 8});
  for (const Dense& layer : dense) {
    x = layer(program, weights, x, DType::f32);
  }
  const std::vector<Value> gradients = differentiate(program, ops::mean(program, x), weights.all());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    ops::write_to(program, gradients[i], bind_parameter(program, parameters, Block::gradient, parameters.list()[i]));
  }
  const Value gradient = block(Block::gradient);
  program.keep(ops::global_norm(program, gradient));
  ops::adam(program, {}, step, {}, gradient, {block(Block::master), block(Block::m), block(Block::v), {}});
  ops::ema(program, 0.99, step, block(Block::master), block(Block::average));
  ops::advance_counter(program, step);
  program.prune();
  return program;
}

TEST(Dependencies, OfATrainingStepAreThoseOfThePlainRule) {
  const Program program = record_training(12);
  EXPECT_EQ(find_dependencies(program), pairwise_dependencies(program));
}

TEST(Dependencies, OfFiveThousandNodesAreFoundInFewComparisons) {
  const Program program = record_training(840);
  const auto nodes = static_cast<std::int64_t>(program.nodes().size());
  EXPECT_GE(nodes, 5000);
  std::int64_t comparisons = 0, found = 0;
  for (const std::vector<int>& earlier : find_dependencies(program, &comparisons)) {
    found += static_cast<std::int64_t>(earlier.size());
  }
  EXPECT_GE(comparisons, found);
  EXPECT_LE(comparisons, 2 * found);
  EXPECT_LE(found, 4 * nodes);  // where pair by pair would be 2,500 comparisons a node
}

}  // namespace
}  // namespace duel::test

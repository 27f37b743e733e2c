// Small nodes in lists against the single nodes, on the same inputs: the same bytes, in fewer launches.
#include "engine/rewrite/small_nodes.h"

#include "engine/nn/losses.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "host/data/open_dataset.h"
#include "host/train/training_plan.h"
#include "kernels/small_program.h"
#include "tests/support/small_program.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace duel::test {
namespace {

std::vector<std::string> ops_of(const Program& program) {
  std::vector<std::string> ops;
  for (const Node& node : program.nodes()) {
    ops.push_back(node.op);
  }
  return ops;
}

using Names = std::vector<std::string>;

// Records twice, groups one of the two, and expects the same bytes in all that is kept.
template <class Record>
Names expect_same(const Record& record) {
  SmallProgram plain, grouped;
  const std::vector<Value> expected = record(plain), got = record(grouped);
  for (std::size_t i = 0; i < got.size(); ++i) {
    plain.program.keep(expected[i]);
    grouped.program.keep(got[i]);
  }
  plain.program.prune();
  group_small_nodes(grouped.program);
  plain.finish();
  grouped.finish();
  for (int turn = 0; turn < 2; ++turn) {
    plain.run();
    grouped.run();
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(grouped.read(got[i]), plain.read(expected[i])) << "value " << i << " in turn " << turn;
    }
  }
  return ops_of(grouped.program);
}

constexpr int kLarge = 5000;  // elements of an array that no list takes

TEST(SmallNodes, ALossWithItsGradientsAndMetricsIsOneList) {
  for (const LossKind kind :
       {LossKind::bce, LossKind::lsgan, LossKind::hinge, LossKind::relativistic, LossKind::wgan}) {
    const auto record = [kind](SmallProgram& s) {
      Program& p = s.program;
      const Value x = s.input({12, 600}), w = s.input({600, 1});
      const Value logits = ops::matmul(p, {}, x, w, DType::f32);
      const Value real = ops::slice_rows(p, logits, 0, 6), fake = ops::slice_rows(p, logits, 6, 6);
      const Value loss = discriminator_loss(p, kind, real, fake);
      std::vector<Value> results = {loss, accuracy_on_real(p, kind, real), accuracy_on_fake(p, kind, fake)};
      results.push_back(differentiate(p, loss, {w})[0]);
      return results;
    };
    EXPECT_EQ(expect_same(record), (Names{"matmul", "small_program", "matmul"})) << static_cast<int>(kind);
  }
}

TEST(SmallNodes, WhatIsOnlyLookedAtJoinsWhatIsNeeded) {
  const auto record = [](SmallProgram& s) {
    Program& p = s.program;
    const Value large = s.input({kLarge}), small = s.input({3});
    const Value metric = ops::mean(p, ops::affine(p, small, 2.0));  // may run anywhere
    const Value norm = ops::global_norm(p, large);                  // 0
    const Value scale = ops::clip_scale(p, 0.3, norm);              // needed by the next
    const Value wide = ops::broadcast(p, {Axes::all, 1.0F}, scale, {kLarge}, DType::f32);
    const Value product = ops::multiply(p, large, wide);
    return std::vector{metric, norm, product, ops::add(p, metric, ops::mean(p, norm))};
  };
  EXPECT_EQ(expect_same(record), (Names{"global_norm", "small_program", "broadcast", "multiply"}));
}

TEST(SmallNodes, StoresAndTheCounterKeepTheirOrder) {
  const auto record = [](SmallProgram& s) {
    Program& p = s.program;
    const Value x = s.input({7}), step = s.counter(66), ring = s.input({64, 3});
    ops::store_scalars(p, {2, 0}, {ops::mean(p, x), ops::mean(p, ops::multiply(p, x, x))}, step, ring);
    ops::advance_counter(p, step);
    ops::store_scalars(p, {1}, {ops::mean(p, x)}, step, ring);
    const Value drawn = ops::random_normal(p, {1, Purpose::d_latents}, step, {3});
    ops::advance_counter(p, step);
    return std::vector{drawn, ring};
  };
  EXPECT_EQ(expect_same(record), (Names{"small_program", "random_normal", "advance_counter"}));
}

TEST(SmallNodes, ArraysThatAreTooLargeStayAsTheyAre) {
  const auto record = [](SmallProgram& s) {
    Program& p = s.program;
    const Value x = ops::affine(p, s.input({kLarge}), 0.5);
    return std::vector{ops::mean(p, ops::multiply(p, x, x))};
  };
  EXPECT_EQ(expect_same(record), (Names{"affine", "multiply", "reduce_sum"}));
}

TEST(SmallNodes, LabelsStayAsTheyAre) {
  const auto record = [](SmallProgram& s) {
    const Value labels = s.labels({2, 0, 1});
    const Value both = ops::concat_rows(s.program, labels, labels);
    return std::vector<Value>{ops::take_rows(s.program, s.input({3, 2}), both)};
  };
  EXPECT_EQ(expect_same(record), (Names{"concat_rows", "take_rows"}));
}

TEST(SmallNodes, ALongListIsCut) {
  const auto record = [](SmallProgram& s) {
    Value x = s.input({33});
    for (int i = 0; i < 2 * kMostSmallInstructions + 1; ++i) {
      x = ops::affine(s.program, x, -1.0, 0.25);
    }
    return std::vector{x};
  };
  EXPECT_EQ(expect_same(record), (Names{"small_program", "small_program", "affine"}));
}

// What finds no room among the local arrays lies with those of the program.
TEST(SmallNodes, ManyLocalArraysAreStillOneList) {
  const auto record = [](SmallProgram& s) {
    Value x = s.input({4000}), sum = x;
    for (int i = 0; i < 15; ++i) {
      x = ops::affine(s.program, x, 0.9, 0.1);
      sum = ops::add(s.program, sum, x);
    }
    return std::vector{sum};
  };
  EXPECT_EQ(expect_same(record), Names{"small_program"});
}

TEST(SmallNodes, WhatIsPlacedOutsideIsWrittenThere) {
  const auto record = [](SmallProgram& s) {
    Program& p = s.program;
    const Value x = s.input({4, 5}), place = s.input({20});
    const Value gradient = ops::activation_backward(p, {ActivationKind::tanh}, x, ops::affine(p, x, 0.5));
    ops::write_to(p, p.reshape(gradient, {20}), place);
    ops::write_to(p, ops::reduce_sum(p, {Axes::each_column, 1.0F}, gradient), s.input({5}));
    return std::vector{place};
  };
  EXPECT_EQ(expect_same(record), Names{"small_program"});
}

TEST(SmallNodes, BiasGradientsThatWereFusedAreTakenApart) {
  const auto record = [](SmallProgram& s) {
    Program& p = s.program;
    const Value x = s.input({40, 6}), b = s.input({6});
    const Value y = ops::bias_act(p, {ActivationKind::leaky_relu, 0.2F}, x, b);
    std::vector<Value> results = differentiate(p, ops::multiply(p, y, y), {x, b});
    for (const Value result : results) {
      p.keep(result);
    }
    fuse(p);
    return results;
  };
  EXPECT_EQ(expect_same(record), Names{"small_program"});
}

// A program of small nodes of every kind among large ones, at random, with effects.
std::vector<Value> record_by_chance(SmallProgram& s, unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  Program& p = s.program;
  const Value step = s.counter(3), ring = s.input({8, 4}), memory = s.input({64});
  std::vector<Value> columns = {s.input({6, 4}), s.input({6, 4})}, scalars = {s.input({1})},
                     large = {s.input({kLarge})};
  std::vector<Value> kept = {ring, memory};
  const auto one_of = [&](const std::vector<Value>& list) {
    return list[static_cast<std::size_t>(pick(static_cast<int>(list.size())))];
  };
  for (int i = 0; i < 60; ++i) {
    const Value a = one_of(columns), b = one_of(columns), scalar = one_of(scalars), wide = one_of(large);
    switch (pick(18)) {
      case 0: columns.push_back(ops::add(p, a, b)); break;
      case 1: columns.push_back(ops::multiply(p, a, ops::unary(p, UnaryKind::sigmoid, b))); break;
      case 2: columns.push_back(ops::affine(p, a, 0.7, 0.1)); break;
      case 3: columns.push_back(ops::bias_act(p, {ActivationKind::tanh}, a, {})); break;
      case 4: columns.push_back(ops::activation_backward(p, {ActivationKind::relu}, a, b)); break;
      case 5: scalars.push_back(ops::mean(p, a)); break;
      case 6: columns.push_back(ops::broadcast(p, {Axes::all, 0.5F}, scalar, {6, 4}, DType::f32)); break;
      case 7: columns.push_back(ops::pad_rows(p, ops::slice_rows(p, a, 1, 3), 2, 6)); break;
      case 8: columns.push_back(ops::concat_rows(p, ops::slice_rows(p, a, 0, 2), ops::slice_rows(p, b, 2, 4))); break;
      case 9: columns.push_back(ops::cast(p, ops::cast(p, a, DType::bf16), DType::f32)); break;
      case 10: large.push_back(ops::affine(p, wide, 0.9, 0.01)); break;
      case 11: scalars.push_back(ops::global_norm(p, wide)); break;
      case 12:
        large.push_back(ops::multiply(p, wide, ops::broadcast(p, {Axes::all, 1.0F}, scalar, {kLarge}, DType::f32)));
        break;
      case 13: ops::store_scalars(p, {pick(4)}, {scalar}, step, ring); break;
      case 14: ops::advance_counter(p, step); break;
      case 15:
        scalars.push_back(
            ops::scale_scheduled(p, Schedule::linear(1, 0.5, 0, 9), step, ops::clip_scale(p, 0.4, scalar)));
        break;
      case 16:
        ops::write_to(p, ops::affine(p, p.reshape(a, {24}), 0.25),
                      p.bind("input2", {24}, DType::f32, 4 * static_cast<std::size_t>(pick(40))));
        break;
      case 17:
        columns.push_back(ops::copy(p, p.bind("input2", {6, 4}, DType::f32, 4 * static_cast<std::size_t>(pick(40)))));
        break;
    }
    if (pick(8) == 0) {
      kept.push_back(one_of(columns));
    }
  }
  kept.insert(kept.end(), {scalars.back(), columns.back(), large.back()});
  return kept;
}

TEST(SmallNodes, RandomProgramsGiveTheSameBytes) {
  std::size_t before = 0, after = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SmallProgram plain;
    const auto record = [seed](SmallProgram& s) { return record_by_chance(s, seed); };
    for (const Value value : record(plain)) {
      plain.program.keep(value);
    }
    plain.program.prune();
    before += plain.program.nodes().size();
    after += expect_same(record).size();
  }
  EXPECT_LT(2 * after, before);
}

// Nodes of both phases, at the presets' own sizes; each is at least one launch on a GPU.
std::size_t nodes_of_a_step(const std::string& name, bool is_clipped) {
  Options options = preset(name);
  options.optimizer.clip_norm = is_clipped ? 1 : 0;
  options.data.source = "synthetic";
  options.data.synthetic_count = 64;
  const Data data = open_dataset(options.data);
  const TrainingPlan plan = plan_training(options, data, false, 1);
  std::size_t nodes = 0;
  for (const RecordedPhase& phase : plan.step.phases) {
    nodes += phase.program.nodes().size();
  }
  return nodes;
}

TEST(SmallNodes, AStepHasFewNodes) {
  EXPECT_LE(nodes_of_a_step("classic", false), 61U);
  EXPECT_LE(nodes_of_a_step("steady", false), 92U);
  // Clipping joins what is stored; the counter advances behind the update.
  EXPECT_LE(nodes_of_a_step("classic", true), 62U);
}

}  // namespace
}  // namespace duel::test

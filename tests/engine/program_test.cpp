// Recording, pruning, writing to bound memory; the planner's lifetimes; running.
#include "engine/program/memory_plan.h"
#include "kernels/check.h"
#include "tests/support/small_program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace duel::test {
namespace {

TEST(Program, PruneKeepsWhatIsReadAndDropsTheRest) {
  SmallProgram s;
  const Value a = s.input({4});
  const Value used = ops::affine(s.program, a, 2.0);
  ops::affine(s.program, used, 3.0);  // nobody reads it
  s.program.keep(used);
  s.program.prune();
  ASSERT_EQ(s.program.nodes().size(), 1U);
  s.finish();
  s.run();
  EXPECT_EQ(s.read(used)[2], 2 * s.data(0)[2]);
}

TEST(Program, WriteToPutsAResultIntoBoundMemory) {
  SmallProgram s;
  const Value a = s.input({4});
  Buffer target(s.context(), 4 * sizeof(float));
  ops::write_to(s.program, ops::affine(s.program, a, -1.0), s.place("target", target.view({4}, DType::f32)));
  s.finish();
  EXPECT_EQ(s.execution().plan().arena_bytes, 0U);
  s.run();
  EXPECT_EQ(static_cast<float*>(target.data())[3], -s.data(0)[3]);
}

TEST(Program, WriteToCopiesWhatAlreadyLivesElsewhere) {
  SmallProgram s;
  const Value a = s.input({2, 2});
  Buffer first(s.context(), 4 * sizeof(float)), second(s.context(), 4 * sizeof(float));
  const Value doubled = ops::affine(s.program, a, 2.0);
  ops::write_to(s.program, doubled, s.place("first", first.view({2, 2}, DType::f32)));
  ops::write_to(s.program, doubled, s.place("second", second.view({2, 2}, DType::f32)));
  s.finish();
  s.run();
  EXPECT_TRUE(std::equal(s.data(0), s.data(0) + 4, static_cast<float*>(second.data()),
                         [](float x, float y) { return 2 * x == y; }));
  EXPECT_TRUE(std::equal(static_cast<float*>(first.data()), static_cast<float*>(first.data()) + 4,
                         static_cast<float*>(second.data())));
}

TEST(Program, ReshapeRefusesAnotherCount) {
  SmallProgram s;
  EXPECT_THROW(s.program.reshape(s.input({4, 3}), {11}), Error);
}

TEST(Program, AFaultyShapeIsNamedWithItsPlace) {
  SmallProgram s;
  const Program::Scope scope(s.program, "discriminator/conv1");
  const Value x = s.input({1, 4, 4, 3}), w = s.input({2, 3, 3, 5});
  s.program.keep(ops::conv2d(s.program, Conv2d::same(3), x, w));
  try {
    s.finish();
    FAIL() << "the channels disagree";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "conv2d_forward: w is f32[2,3,3,5] but x is f32[1,4,4,3], so w must be [K,R,S,3] (recorded as "
                 "\"discriminator/conv1/conv2d_forward\")");
  }
}

TEST(Program, AFaultOfTheDeviceNamesTheArrays) {
  SmallProgram s;
  const Program::Scope scope(s.program, "generator/dense1");
  Node node;
  node.op = "matmul";
  node.inputs = {s.input({2, 3})};
  node.prepare = [](Context&, Views, Views) { throw_error(Error::Kind::device, "matmul: the device is lost"); };
  s.program.keep(s.program.record(std::move(node), {2, 5}, DType::bf16));
  try {
    s.finish();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "matmul: the device is lost (on f32[2,3] -> bf16[2,5], recorded as "
                 "\"generator/dense1/matmul\")");
    EXPECT_EQ(error.kind(), Error::Kind::device);
  }
}

// A chain in which each array dies at the next node: pointwise nodes write in place.
TEST(Planner, AChainOfPointwiseNodesTakesOneArray) {
  SmallProgram s;
  Value x = s.input({1000});
  for (int i = 0; i < 10; ++i) {
    x = ops::affine(s.program, x, 1.01, 0.5);
  }
  s.program.keep(x);
  const MemoryPlan plan = plan_memory(s.program, plan_lanes(s.program, 1));
  EXPECT_EQ(plan.arena_bytes, 4032U);
  EXPECT_EQ(plan.unshared_bytes, 40320U);
}

// No two arrays that live at the same time may overlap, whatever the program: checked on a tangled one.
TEST(Planner, ArraysThatLiveTogetherDoNotOverlap) {
  SmallProgram s;
  std::vector<Value> live = {s.input({64}), s.input({64})};
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const Value a = live[random() % live.size()], b = live[random() % live.size()];
    const int rows = 1 + static_cast<int>(random() % 90);
    const Value sum = ops::add(s.program, a, b);
    live.push_back(sum);
    s.program.keep(ops::slice_rows(s.program, ops::concat_rows(s.program, sum, a), 0, rows));
    if (live.size() > 6) {
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(random() % live.size()));
    }
  }
  const MemoryPlan plan = plan_memory(s.program, plan_lanes(s.program, 1));
  // Replay the lifetimes: at each node the outputs' bytes get an owner; every input must still own its bytes.
  std::vector<int> owner(plan.arena_bytes, -1);
  const auto bytes_of_value = [&](Value v) { return s.program.described(v).bytes(); };
  for (const Node& node : s.program.nodes()) {
    for (const Value input : node.inputs) {
      const Value root = s.program.root(input);
      const std::int64_t offset = plan.offset_of_root[static_cast<std::size_t>(root.id)];
      for (std::size_t i = 0; offset >= 0 && i < bytes_of_value(root); ++i) {
        ASSERT_EQ(owner[static_cast<std::size_t>(offset) + i], root.id);
      }
    }
    for (const Value output : node.outputs) {
      const auto offset = static_cast<std::size_t>(plan.offset_of_root[static_cast<std::size_t>(output.id)]);
      ASSERT_EQ(offset % MemoryPlan::kAlignment, 0U);
      ASSERT_LE(offset + bytes_of_value(output), plan.arena_bytes);
      std::fill_n(owner.begin() + static_cast<std::ptrdiff_t>(offset), bytes_of_value(output), output.id);
    }
  }
  // What is kept must still be there at the end.
  for (int id = 0; id < s.program.value_count(); ++id) {
    if (s.program.is_kept({id})) {
      EXPECT_EQ(owner[static_cast<std::size_t>(plan.offset_of_root[static_cast<std::size_t>(id)])], id);
    }
  }
  EXPECT_LT(plan.arena_bytes, plan.unshared_bytes);
}

// A column's numbers are read again for each row, so the result may not lie where they lie, however small it is.
TEST(Planner, OnlyAnInputOfTheOutputsShapeIsWrittenOver) {
  SmallProgram s;
  const Value x = s.input({2, 3}), bias = ops::affine(s.program, s.input({3}), 2.0);
  const Value y = ops::bias_act(s.program, {}, x, bias);
  s.program.keep(y);
  s.finish();
  const MemoryPlan& plan = s.execution().plan();
  EXPECT_EQ(plan.arena_bytes, plan.unshared_bytes);
  s.run();
  const std::vector<float> result = s.read(y);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(result[i], s.data(0)[i] + 2 * s.data(1)[i % 3]);
  }
}

TEST(Execution, TheCounterAdvancesAndDrawsDiffer) {
  SmallProgram s;
  const Value step = s.counter(41);
  const Value noise = ops::random_normal(s.program, {9, Purpose::d_latents}, step, {8});
  s.program.keep(noise);
  ops::advance_counter(s.program, step);
  s.finish();
  s.run();
  const std::vector<float> first = s.read(noise);
  s.run();
  EXPECT_NE(first, s.read(noise));
  EXPECT_EQ(download<std::int64_t>(s.context(), s.execution().view(step))[0], 43);
}

}  // namespace
}  // namespace duel::test

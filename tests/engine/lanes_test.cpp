// Lanes: what may run side by side does, what depends on something waits for it, and memory is shared by no two arrays
// that may be needed at once; on programs drawn by chance, and on whole training steps.
#include "engine/program/lanes.h"

#include "engine/program/dependencies.h"
#include "engine/rewrite/differentiate.h"
#include "host/train/trainer.h"
#include "host/train/training_plan.h"
#include "kernels/check.h"
#include "tests/engine/lane_run.h"
#include "tests/support/small_program.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <set>

namespace duel::test {
namespace {

std::vector<std::vector<int>> dependencies_of(const SmallProgram& s) {
  return find_dependencies(s.program);
}

TEST(Dependencies, AreFoundBehindReshapes) {
  SmallProgram s;
  const Value a = ops::affine(s.program, s.input({2, 3}), 2.0);
  ops::affine(s.program, s.program.reshape(a, {6}), 3.0);
  ops::affine(s.program, s.input({6}), 4.0);
  EXPECT_EQ(dependencies_of(s), (std::vector<std::vector<int>>{{}, {0}, {}}));
}

TEST(Dependencies, AreFoundByTheBytesOfMemoryOutside) {
  SmallProgram s;
  const auto part = [&](std::size_t begin) { return s.program.bind("block", {32}, DType::f32, begin * sizeof(float)); };
  const Value a = s.input({32});
  ops::write_to(s.program, ops::affine(s.program, a, 2.0), part(0));       // 0
  ops::write_to(s.program, ops::affine(s.program, a, 3.0), part(32));      // 1
  ops::global_norm(s.program, s.program.bind("block", {64}, DType::f32));  // 2
  ops::affine(s.program, part(32), 2.0);                                   // 3
  ops::write_to(s.program, ops::affine(s.program, a, 4.0), part(16));      // 4: of both halves
  const std::vector<std::vector<int>> expected = {{}, {}, {0, 1}, {1}, {0, 1, 2, 3}};
  EXPECT_EQ(dependencies_of(s), expected);
}

TEST(Dependencies, AreFoundWhereAnOperatorChangesMemory) {
  SmallProgram s;
  const Value step = s.counter(0), gradient = s.input({16});
  const auto block = [&](const char* name) { return s.program.bind(name, {16}, DType::f32); };
  const Value weight = s.program.bind("master", {4}, DType::f32, 16);
  ops::affine(s.program, weight, 2.0);                                                          // 0
  ops::adam(s.program, {}, step, {}, gradient, {block("master"), block("m"), block("v"), {}});  // 1
  ops::ema(s.program, 0.9, step, block("master"), block("average"));                            // 2
  ops::advance_counter(s.program, step);                                                        // 3
  ops::random_normal(s.program, {1, Purpose::d_latents}, step, {4});                            // 4
  const Schedule decay = Schedule::half_life(64, 500, 10);                                      // reads the step
  ops::ema(s.program, decay, step, weight, s.program.bind("average", {4}, DType::f32));         // 5
  ops::advance_counter(s.program, step);                                                        // 6
  EXPECT_EQ(dependencies_of(s), (std::vector<std::vector<int>>{{}, {0}, {1}, {1}, {3}, {1, 2, 3}, {1, 3, 4, 5}}));
}

TEST(Dependencies, AnEffectThatDoesNotSayWhatItWritesIsAnError) {
  SmallProgram s;
  Node node;
  node.op = "mystery";
  s.program.record_effect(node);
  EXPECT_THROW(dependencies_of(s), Error);
}

// A chain of wide layers with the gradients of all weights.
void record_layers(SmallProgram& s, int layers, int width) {
  Value x = s.input({width, width});
  std::vector<Value> weights;
  for (int i = 0; i < layers; ++i) {
    weights.push_back(s.input({width, width}));
    x = ops::bias_act(s.program, {ActivationKind::tanh}, ops::matmul(s.program, {}, x, weights.back(), DType::f32), {});
  }
  for (const Value gradient : differentiate(s.program, ops::mean(s.program, x), weights)) {
    s.program.keep(gradient);
  }
  s.program.prune();
}

TEST(Lanes, WeightGradientsGoBesideTheChainOfInputGradients) {
  SmallProgram s;
  record_layers(s, 6, 512);
  const LanePlan plan = plan_lanes(s.program, 2);
  int aside = 0, beside = 0;
  for (std::size_t i = 0; i < plan.places.size(); ++i) {
    const bool is_weight_gradient = s.program.is_kept(s.program.nodes()[i].outputs[0]);
    if (plan.places[i].lane == 0 || !is_weight_gradient) {
      continue;
    }
    ++aside;
    for (std::size_t other = 0; other < plan.places.size(); ++other) {
      const int a = static_cast<int>(std::min(i, other)), b = static_cast<int>(std::max(i, other));
      beside += plan.places[other].lane == 0 && !is_before(plan, a, b) ? 1 : 0;
    }
  }
  EXPECT_GE(aside, 4);  // of 6: one is the end of the longest chain
  EXPECT_GE(beside, aside);
}

TEST(Lanes, OneLaneHasTheRecordedOrderAndNoWaits) {
  SmallProgram s;
  record_layers(s, 3, 8);
  const LanePlan plan = plan_lanes(s.program, 1);
  EXPECT_EQ(plan.marks, 0);
  for (std::size_t i = 0; i < plan.places.size(); ++i) {
    EXPECT_EQ(plan.places[i].lane, 0);
    EXPECT_TRUE(i == 0 || plan.before[i].contains(static_cast<int>(i) - 1));
  }
}

// Adds, products and sums of what there is, some of it written into parts of one block, which is now and then read as a
// whole or stepped along; a counter that draws depend on.
void record_by_chance(SmallProgram& s, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  Program& p = s.program;
  const Value step = s.counter(static_cast<std::int64_t>(seed));
  std::vector<Value> live = {s.input({4, 16}), s.input({4, 16})};
  const auto part = [&] { return p.bind("memory", {4, 16}, DType::f32, 64 * pick(12)); };
  for (int i = 0; i < 60; ++i) {
    const Value a = live[pick(live.size())], b = live[pick(live.size())];
    Value made;
    switch (pick(9)) {
      case 0: made = ops::add(p, a, b); break;
      case 1: made = ops::multiply(p, a, b); break;
      case 2: made = ops::affine(p, a, 0.5, 0.1); break;
      case 3: made = p.reshape(ops::affine(p, p.reshape(a, {64}), 1.5), {4, 16}); break;
      case 4: made = ops::random_normal(p, {seed, Purpose::d_latents}, step, {4, 16}); break;
      case 5: ops::write_to(p, ops::affine(p, a, 0.25), part()); break;
      case 6: made = ops::copy(p, part()); break;
      case 7: p.keep(ops::global_norm(p, p.bind("memory", {256}, DType::f32))); break;
      case 8:
        random() % 2 == 0 ? ops::advance_counter(p, step)
                          : ops::ema(p, 0.5, step, p.reshape(a, {64}), p.bind("memory", {64}, DType::f32, 256));
    }
    if (made.exists()) {
      live.push_back(made);
      if (random() % 4 == 0) {
        p.keep(made);
      }
    }
    if (live.size() > 5) {
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(pick(live.size())));
    }
  }
  p.prune();
}

using Bytes = std::vector<std::byte>;

void append(Bytes& bytes, View view) {
  if (view.data != nullptr) {
    const auto* const data = view.as<std::byte>();
    bytes.insert(bytes.end(), data, data + view.bytes());
  }
}

// What a run leaves: the memory outside, and all that was kept.
Bytes run_by_chance(std::uint64_t program_seed, int lanes, std::uint64_t order_seed,
                    const std::function<void(LanePlan&)>& spoil = {}) {
  SmallProgram s;
  Buffer memory(s.context(), 256 * sizeof(float));
  std::memset(memory.data(), 0, memory.bytes());
  s.place("memory", memory.view({256}, DType::f32));
  record_by_chance(s, program_seed);
  LaneRun run(s.context(), s.program, lanes, s.storage());
  if (spoil) {
    spoil(run.lanes());
  }
  run.run(order_seed);
  Bytes result;
  append(result, memory.view({256}, DType::f32));
  for (int id = 0; id < s.program.value_count(); ++id) {
    if (s.program.is_kept({id}) && s.program.info({id}).producer >= 0) {
      append(result, run.view({id}));
    }
  }
  return result;
}

TEST(Lanes, EveryOrderThatTheyAllowGivesTheSameBytes) {
  for (std::uint64_t program = 0; program < 40; ++program) {
    const Bytes expected = run_by_chance(program, 1, 0);
    for (std::uint64_t order = 0; order < 12; ++order) {
      ASSERT_EQ(run_by_chance(program, 2 + static_cast<int>(order % 2), order), expected)
          << "program " << program << ", order " << order;
    }
  }
}

TEST(Lanes, AMissingWaitIsNoticed) {
  int planted = 0, noticed = 0;
  for (std::uint64_t program = 0; program < 10; ++program) {
    const Bytes expected = run_by_chance(program, 1, 0);
    bool is_wrong = false;
    for (std::uint64_t order = 0; order < 8; ++order) {
      is_wrong |= expected != run_by_chance(program, 2, order, [](LanePlan& plan) {
                    for (LanePlan::Place& place : plan.places) {
                      place.awaits.clear();
                    }
                  });
    }
    ++planted;
    noticed += is_wrong ? 1 : 0;
  }
  EXPECT_GE(noticed, planted - 1);
}

// Of each pair of arrays that share bytes, every use of one is done before the other is written, or is that writing.
void expect_no_conflicts(const Program& program, const LanePlan& lanes, const MemoryPlan& memory) {
  struct Array {
    std::int64_t begin, end;
    std::vector<int> uses;
    bool is_kept;
  };
  std::vector<Array> arrays;
  for (int id = 0; id < program.value_count(); ++id) {
    const std::int64_t begin = memory.offset_of_root[static_cast<std::size_t>(id)];
    if (begin < 0) {
      continue;
    }
    const auto bytes = static_cast<std::int64_t>(program.described({id}).bytes());
    Array array{begin, begin + bytes, {}, program.is_kept({id})};
    for (std::size_t i = 0; i < program.nodes().size(); ++i) {
      const Node& node = program.nodes()[i];
      const auto is_it = [&](Value v) { return v.exists() && program.root(v) == Value{id}; };
      if (std::any_of(node.inputs.begin(), node.inputs.end(), is_it) ||
          std::any_of(node.outputs.begin(), node.outputs.end(), is_it)) {
        array.uses.push_back(static_cast<int>(i));
      }
    }
    arrays.push_back(array);
  }
  const auto is_over = [&](const Array& earlier, const Array& later) {
    const int written = later.uses.front();
    const bool is_in_place = earlier.uses.front() != written;
    return !earlier.is_kept && std::all_of(earlier.uses.begin(), earlier.uses.end(), [&](int use) {
      return (use == written && is_in_place) || (use < written && is_before(lanes, use, written));
    });
  };
  for (std::size_t a = 0; a < arrays.size(); ++a) {
    for (std::size_t b = a + 1; b < arrays.size(); ++b) {
      if (arrays[a].begin < arrays[b].end && arrays[b].begin < arrays[a].end) {
        ASSERT_TRUE(is_over(arrays[a], arrays[b]) || is_over(arrays[b], arrays[a]));
      }
    }
  }
}

TEST(Lanes, NoTwoArraysThatMayBeNeededAtOnceShareMemory) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SmallProgram s;
    record_by_chance(s, seed);
    for (const int lanes : {1, 2, 3}) {
      const LanePlan plan = plan_lanes(s.program, lanes);
      expect_no_conflicts(s.program, plan, plan_memory(s.program, plan));
    }
  }
}

// The planner as it is for one lane, by lifetimes: the first node that writes an array to the last that uses it.
MemoryPlan plan_by_lifetimes(const Program& program) {
  struct Block {
    std::size_t bytes;
    int first, last;
    std::int64_t offset;
  };
  const int count = static_cast<int>(program.nodes().size());
  std::vector<int> last(static_cast<std::size_t>(program.value_count()), -1), block_of(last.size(), -1);
  const auto root_of = [&](Value v) { return static_cast<std::size_t>(program.root(v).id); };
  for (int i = 0; i < count; ++i) {
    for (const auto* list : {&program.nodes()[static_cast<std::size_t>(i)].inputs,
                             &program.nodes()[static_cast<std::size_t>(i)].outputs}) {
      for (const Value v : *list) {
        if (v.exists()) {
          last[root_of(v)] = program.is_kept(program.root(v)) ? count : i;
        }
      }
    }
  }
  std::vector<Block> blocks;
  for (int i = 0; i < count; ++i) {
    const Node& node = program.nodes()[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      const Value output = node.outputs[k];
      if (program.is_bound(output)) {
        continue;
      }
      int block = -1;
      for (const Value input : k == 0 && node.in_place ? node.inputs : std::vector<Value>()) {
        if (block < 0 && input.exists() && block_of[root_of(input)] >= 0 && last[root_of(input)] == i &&
            program.shape(input) == program.shape(output) && program.dtype(input) == program.dtype(output)) {
          block = block_of[root_of(input)];
        }
      }
      if (block < 0) {
        block = static_cast<int>(blocks.size());
        blocks.push_back({(program.described(output).bytes() + 63) / 64 * 64, i, 0, -1});
      }
      blocks[static_cast<std::size_t>(block)].last = last[root_of(output)];
      block_of[root_of(output)] = block;
    }
  }
  std::vector<std::size_t> order(blocks.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  MemoryPlan plan;
  for (const std::size_t index : order) {  // the lowest offset at which it meets no block that lives with it
    Block& block = blocks[index];
    std::vector<std::int64_t> candidates = {0};
    const auto lives_with = [&](const Block& other) {
      return other.offset >= 0 && other.last >= block.first && block.last >= other.first;
    };
    for (const Block& other : blocks) {
      if (lives_with(other)) {
        candidates.push_back(other.offset + static_cast<std::int64_t>(other.bytes));
      }
    }
    std::sort(candidates.begin(), candidates.end());
    block.offset = *std::find_if(candidates.begin(), candidates.end(), [&](std::int64_t offset) {
      return std::none_of(blocks.begin(), blocks.end(), [&](const Block& other) {
        return lives_with(other) && offset < other.offset + static_cast<std::int64_t>(other.bytes) &&
               other.offset < offset + static_cast<std::int64_t>(block.bytes);
      });
    });
    plan.arena_bytes = std::max(plan.arena_bytes, static_cast<std::size_t>(block.offset) + block.bytes);
  }
  for (const int block : block_of) {
    plan.offset_of_root.push_back(block < 0 ? -1 : blocks[static_cast<std::size_t>(block)].offset);
  }
  return plan;
}

TEST(Lanes, OnOneTheMemoryIsPlannedByLifetimes) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SmallProgram s;
    record_by_chance(s, seed);
    const MemoryPlan expected = plan_by_lifetimes(s.program), got = plan_memory(s.program, plan_lanes(s.program, 1));
    EXPECT_EQ(got.arena_bytes, expected.arena_bytes) << seed;
    EXPECT_EQ(got.offset_of_root, expected.offset_of_root) << seed;
  }
}

// The phases of a training step, and the memory that they work on.
struct SmallStep {
  explicit SmallStep(const Options& options)
      : dataset(small_dataset(options)),
        plan(plan_training(options, dataset, false, 1)),
        rows(context, plan.batches.bytes()),
        counter(context, sizeof(std::int64_t)),
        metrics(context, kRingRows * plan.step.metrics.size() * sizeof(float)) {
    plan.networks.allocate_for_training(context, options.precision == "bf16");
    plan.networks.initialize(context, options.seed);
    auto* const memory = static_cast<std::byte*>(rows.data());
    plan.batches.upload(context, memory);
    counter.clear();
    metrics.clear();
    plan.batches.add_to(storage, memory);
    plan.networks.add_to(storage);
    storage.add("step", counter.view({1}, DType::i64));
    storage.add("metrics", metrics.view({kRingRows, static_cast<int>(plan.step.metrics.size())}, DType::f32));
  }

  std::vector<const Program*> programs() const {
    std::vector<const Program*> all;
    for (const RecordedPhase& phase : plan.step.phases) {
      all.push_back(&phase.program);
    }
    return all;
  }

  Bytes state() {
    Bytes bytes;
    append(bytes, metrics.view({kRingRows}, DType::f32));
    for (const NamedNetwork& each : plan.networks.list()) {
      for (const auto block : {Parameters::Block::master, Parameters::Block::m, Parameters::Block::average}) {
        append(bytes, each.network->parameters().view(block));
      }
    }
    return bytes;
  }

  Context context = Context::cpu(1);
  Data dataset;
  TrainingPlan plan;
  Buffer rows, counter, metrics;
  Storage storage;
};

class LanesOfTraining : public testing::TestWithParam<const char*> {};

TEST_P(LanesOfTraining, EveryOrderThatTheyAllowGivesTheSameBytes) {
  const auto train = [&](int lanes, std::uint64_t seed) {
    SmallStep step(small_options(GetParam()));
    for (std::uint64_t number = 0; number < 2; ++number) {
      for (const Program* program : step.programs()) {
        LaneRun(step.context, *program, lanes, step.storage).run(2 * seed + number);
      }
    }
    return step.state();
  };
  const Bytes expected = train(1, 0);
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_EQ(train(2, seed), expected) << seed;
  }
}

// Costs decide where a node runs, and nothing that it computes.
TEST_P(LanesOfTraining, EveryGuessOfCostsGivesTheSameBytes) {
  const auto train = [&](const LaneRequest& request, std::uint64_t seed) {
    SmallStep step(small_options(GetParam()));
    for (const Program* program : step.programs()) {
      LaneRun(step.context, *program, request, step.storage).run(seed);
    }
    return step.state();
  };
  const Bytes expected = train(1, 0);
  const LaneCosts guesses[] = {{0.1, 100, 2e6, 5e7}, {50, 0.01, 2e6, 5e7}, {2, 1.5, 1, 1}, {0, 0, 1e12, 1e12}};
  std::set<std::vector<int>> plans;
  for (std::size_t i = 0; i < std::size(guesses); ++i) {
    EXPECT_EQ(train({2, guesses[i]}, i), expected) << i;
    std::vector<int> lanes;
    const SmallStep step(small_options(GetParam()));
    for (const LanePlan::Place& place : plan_lanes(*step.programs()[0], {2, guesses[i]}).places) {
      lanes.push_back(place.lane);
    }
    plans.insert(lanes);
  }
  EXPECT_GT(plans.size(), 1U);  // the guesses do decide something
}

TEST_P(LanesOfTraining, TheMemoryOfTwoLanesHoldsForOne) {
  const SmallStep step(small_options(GetParam()));
  for (const Program* program : step.programs()) {
    const LanePlan one = plan_lanes(*program, 1), two = plan_lanes(*program, 2);
    const MemoryPlan memory = plan_memory(*program, two);
    expect_no_conflicts(*program, two, memory);
    expect_no_conflicts(*program, one, memory);
    EXPECT_EQ(plan_memory(*program, one).offset_of_root, plan_by_lifetimes(*program).offset_of_root);
    EXPECT_GT(std::count_if(two.places.begin(), two.places.end(), [](const auto& place) { return place.lane == 1; }),
              1);
  }
}

INSTANTIATE_TEST_SUITE_P(presets, LanesOfTraining, testing::Values("classic", "steady"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace duel::test

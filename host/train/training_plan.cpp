#include "host/train/training_plan.h"

#include "engine/program/memory_plan.h"
#include "host/recipes/record_step.h"
#include "host/recipes/registry.h"
#include "host/recipes/state_memory.h"
#include "host/run/checkpoint.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace duel {

namespace {

MemoryUse memory_of(const TrainingPlan& plan, const Options& options, const LaneRequest& lanes) {
  MemoryUse use;
  const std::size_t state = StateMemory::bytes_of(plan.step.state);
  use.parameters = plan.networks.training_bytes(options.precision == "bf16") + state;
  for (const RecordedPhase& phase : plan.step.phases) {
    const MemoryPlan memory = plan_memory(phase.program, plan_lanes(phase.program, lanes));
    use.arena = std::max(use.arena, memory.arena_bytes);
    use.arena_unshared = std::max(use.arena_unshared, memory.unshared_bytes);
  }
  use.pictures = plan.batches.bytes();
  use.snapshot = options.output.checkpoint_every > 0 ? checkpoint_bytes(plan.networks, plan.step.state) : 0;
  return use;
}

// Nothing can be learnt of a class without rows.
void check_classes(const Recipe& recipe, const Data& data) {
  std::set<std::pair<std::string, std::string>> checked;
  for (const DrawnField& drawn : recipe.batches()) {
    const Source& source = source_named(data, drawn.source);
    const bool is_label = field_named(source, drawn.field).kind == FieldKind::label;
    if (is_label && checked.emplace(drawn.source, drawn.field).second) {
      check_every_class_has_rows(source, drawn.field);
    }
  }
}

}  // namespace

Fields fields_of(const Data& data) {
  Fields fields;
  for (const auto& [name, source] : data) {
    fields[name] = source->fields();
  }
  return fields;
}

const Source& counted_source(const Recipe& recipe, const Data& data) {
  return source_named(data, recipe.batches().front().source);
}

TrainingPlan plan_training(std::unique_ptr<Recipe> recipe, const Options& options, const Data& data, bool is_streamed,
                           const LaneRequest& lanes, const Recording& how) {
  if (!how.are_draws_given) {  // a recorded batch need not hold every class
    check_classes(*recipe, data);
  }
  BatchPlan batches(data, recipe->batches(),
                    {options.seed, options.train.batch, is_streamed, options.schedule.steps_per_launch});
  TrainingPlan plan{std::move(recipe), {}, std::move(batches), {}, {}};
  plan.networks = Networks(plan.recipe->make_networks());
  StepSettings settings;
  settings.batch = options.train.batch;
  settings.seed = options.seed;
  settings.compute = options.precision == "bf16" ? DType::bf16 : DType::f32;
  settings.is_fused = how.is_fused;
  settings.are_draws_given = how.are_draws_given;
  settings.batch_of = [&](Program& program, const DrawnField& drawn, Value step, DType type) {
    return plan.batches.record(program, drawn.draw, drawn.source, drawn.field, step, type);
  };
  plan.step = record_step(*plan.recipe, plan.networks, settings);
  plan.memory = memory_of(plan, options, lanes);
  return plan;
}

TrainingPlan plan_training(const Options& options, const Data& data, bool is_streamed, const LaneRequest& lanes,
                           const Recording& how) {
  const std::int64_t steps_per_epoch = main_source(data).count() / options.train.batch;
  const std::int64_t steps = total_steps(options, std::max<std::int64_t>(steps_per_epoch, 1));
  return plan_training(make_recipe(options, fields_of(data), steps), options, data, is_streamed, lanes, how);
}

}  // namespace duel

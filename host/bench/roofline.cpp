#include "host/bench/roofline.h"

#include "host/train/training_plan.h"

#include <algorithm>
#include <map>
#include <set>

namespace duel {

namespace {

// The type whose peak an operator's arithmetic has: bf16 where any input is.
DType arithmetic_type(const Program& program, const Node& node) {
  for (const Value input : node.inputs) {
    if (input.exists() && program.dtype(input) == DType::bf16) {
      return DType::bf16;
    }
  }
  return DType::f32;
}

double operation_us(const Program& program, const Node& node, const Ceilings& ceilings, bool allow_tf32) {
  const Traits& traits = node.traits;
  // Only products use tensor cores; everything else computes in f32.
  const double tflops = traits.is_product ? ceilings.tflops(arithmetic_type(program, node), allow_tf32) : ceilings.f32;
  const double direct = tflops > 0 ? traits.inside * node.flops / tflops / 1e6 : 0;
  return traits.winograd_share < 1 && ceilings.f32 > 0
             ? std::min(direct, traits.winograd_share * node.flops / ceilings.f32 / 1e6)
             : direct;
}

// Bytes of all that a node touches, each once: an array that is changed where it lies is read and written.
double working_set(const Program& program, const Node& node) {
  double bytes = 0;
  std::set<int> roots;
  const auto add = [&](Value value) {
    if (value.exists() && roots.insert(program.root(value).id).second) {
      bytes += static_cast<double>(program.described(value).bytes());
    }
  };
  std::for_each(node.inputs.begin(), node.inputs.end(), add);
  for (std::size_t i = node.in_place ? 1 : 0; i < node.outputs.size(); ++i) {
    add(node.outputs[i]);
  }
  return std::min(bytes, program.cost(node).bytes);
}

}  // namespace

NodeFloor floor_of(const Program& program, const Node& node, const Ceilings& ceilings, bool allow_tf32) {
  return {ceilings.least_us(program.cost(node).bytes, working_set(program, node)),
          operation_us(program, node, ceilings, allow_tf32)};
}

Roofline make_roofline(const Options& options, const Data& data, const Ceilings& ceilings) {
  const TrainingPlan plan = plan_training(options, data, options.schedule.residency == "stream", 1);
  Roofline roofline;
  std::map<NodeKey, OperatorFloor> operators;
  double peak_us = 0;
  for (const RecordedPhase& phase : plan.step.phases) {
    const Program* program = &phase.program;
    for (const Node& node : program->nodes()) {
      const Cost cost = program->cost(node);
      const NodeFloor floor = floor_of(*program, node, ceilings, options.precision == "tf32");
      OperatorFloor& entry = operators[key_of(*program, node)];
      ++entry.calls;
      entry.gflop += cost.flops / 1e9;
      entry.megabytes += cost.bytes / 1e6;
      entry.us += floor.us();
      entry.by_operations = floor.by_operations();
      peak_us += floor.operation_us;
      roofline.optimiser_megabytes += node.traits.update_bytes / 1e6;
    }
    roofline.nodes += static_cast<int>(program->nodes().size());
  }
  for (auto& [key, entry] : operators) {
    entry.key = key;
    roofline.gflop += entry.gflop;
    roofline.megabytes += entry.megabytes;
    roofline.serial_us += entry.us;
    roofline.operators.push_back(entry);
  }
  std::sort(roofline.operators.begin(), roofline.operators.end(),
            [](const OperatorFloor& a, const OperatorFloor& b) { return a.us > b.us; });
  roofline.overlapped_us = std::max(peak_us, roofline.optimiser_megabytes / ceilings.gigabytes_per_second * 1e3);
  return roofline;
}

}  // namespace duel

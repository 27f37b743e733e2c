#include "host/roofline.h"

#include "host/memory_plan.h"

#include <algorithm>
#include <map>

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

bool is_product(const Node& node) {
  return node.op == "matmul" || node.op.starts_with("conv2d");
}

}  // namespace

Roofline make_roofline(const Options& options, const Dataset& dataset, const Ceilings& ceilings) {
  const RecordedStep step(options, dataset);
  Roofline roofline;
  std::map<std::string, OperatorFloor> operators;
  std::map<std::string, double> us_by_operations;
  double peak_us = 0;
  const auto look_at = [&](const std::string& phase, const Program& program) {
    for (const Node& node : program.nodes()) {
      const Cost cost = program.cost(node);
      // Only products use tensor cores; everything else computes in f32.
      const double tflops = is_product(node)
                                ? ceilings.tflops(arithmetic_type(program, node), options.precision == "tf32")
                                : ceilings.f32;
      const double flop_us = tflops > 0 ? cost.flops / tflops / 1e6 : 0;
      const double byte_us = cost.bytes / ceilings.gigabytes_per_second / 1e3;
      const std::string name = phase + " " + node.op;
      OperatorFloor& entry = operators[name];
      entry.name = name;
      ++entry.calls;
      entry.gflop += cost.flops / 1e9;
      entry.megabytes += cost.bytes / 1e6;
      entry.us += std::max(flop_us, byte_us);
      us_by_operations[name] += flop_us > byte_us ? flop_us : 0;
      peak_us += flop_us;
      roofline.optimiser_megabytes +=
          node.op == "adam" ? (cost.bytes - static_cast<double>(program.described(node.inputs[2]).bytes())) / 1e6 : 0;
    }
  };
  look_at("d_main", step.phases().discriminator);
  look_at("g_main", step.phases().generator);
  for (auto& [name, entry] : operators) {
    entry.by_operations = us_by_operations[name] > entry.us / 2;
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

#include "host/step_bench.h"

#include "host/dataset.h"
#include "host/trainer.h"
#include "host/training_run.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

namespace duel {

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double time_call(Context& context, const std::function<void()>& call) {
  context.synchronize();
  const Clock::time_point begin = Clock::now();
  call();
  context.synchronize();
  return milliseconds(begin);
}

// A call's median over repetitions, warmed up by one.
double time_alone(Context& context, const std::function<void()>& call) {
  constexpr int kRepeats = 9;
  call();
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    times.push_back(time_call(context, call));
  }
  return median(times);
}

bool is_primitive(const std::string& op) {
  return op == "matmul" || op.starts_with("conv2d");
}

void time_operators(Context& context, const Execution& execution, const std::string& phase,
                    std::map<std::string, OperatorTime>& operators) {
  constexpr int kSteps = 9;
  const std::vector<Node>& nodes = execution.program().nodes();
  std::vector<std::vector<double>> times(nodes.size());
  for (int step = 0; step < kSteps; ++step) {
    Clock::time_point begin = Clock::now();
    execution.run(context, [&](std::size_t node) {
      context.synchronize();
      times[node].push_back(milliseconds(begin));
      begin = Clock::now();
    });
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string name = phase + " " + nodes[i].op;
    OperatorTime& entry = operators[name];
    const Cost cost = execution.program().cost(nodes[i]);
    entry.op = name;
    ++entry.calls;
    entry.ms += median(times[i]);
    entry.gflop += cost.flops / 1e9;
    entry.megabytes += cost.bytes / 1e6;
    if (is_primitive(nodes[i].op)) {
      entry.alone_ms += time_alone(context, [&] { execution.run_node(context, i); });
    }
  }
}

}  // namespace

StepBench bench_step(const Options& options, double seconds) {
  Context context = make_context(options);
  const Dataset dataset = open_dataset(options.data);
  Trainer trainer(context, options, dataset);
  for (int i = 0; i < 3; ++i) {
    trainer.step();
  }
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  while (times.size() < 5 || milliseconds(begin) < seconds * 1e3) {
    times.push_back(time_call(context, [&] { trainer.step(); }));
  }
  StepBench result;
  result.device = context.name();
  result.ms_median = median(times);
  result.ms_min = *std::min_element(times.begin(), times.end());
  result.ms_max = *std::max_element(times.begin(), times.end());
  std::map<std::string, OperatorTime> operators;
  time_operators(context, trainer.discriminator_phase(), "d_main", operators);
  time_operators(context, trainer.generator_phase(), "g_main", operators);
  for (auto& [name, entry] : operators) {
    result.primitives_ms += entry.alone_ms;
    result.gflop += entry.gflop;
    result.operators.push_back(entry);
  }
  std::sort(result.operators.begin(), result.operators.end(),
            [](const OperatorTime& a, const OperatorTime& b) { return a.ms > b.ms; });
  return result;
}

}  // namespace duel

#include "host/bench/step_bench.h"

#include "host/bench/roofline.h"
#include "host/data/open_dataset.h"
#include "host/device/call_timer.h"
#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>

namespace duel {

namespace {

constexpr double kWarmSeconds = 0.3;

// A call's median over several windows.
double time_alone(Context& context, bool is_gpu, const std::function<void()>& call) {
  constexpr int kTimings = 9;
  const double window_ms = is_gpu ? 1 : 0;  // a CPU's clock is good enough for one call
  CallTimer timer(context, calls_in_a_graph(context), call);
  std::vector<double> times;
  for (int i = 0; i < kTimings; ++i) {
    times.push_back(timer.window(window_ms));
  }
  return median(times);
}

using FloorOf = std::function<NodeFloor(const Program&, const Node&)>;

// Of each node within the step; where the device computes while the host goes on, that would time the waiting.
std::vector<double> times_within_step(Context& context, const Execution& execution) {
  constexpr int kSteps = 9;
  std::vector<std::vector<double>> times(execution.program().nodes().size());
  for (int step = 0; step < kSteps; ++step) {
    Clock::time_point begin = Clock::now();
    execution.run(context, [&](std::size_t node) {
      context.synchronize();
      times[node].push_back(milliseconds_since(begin));
      begin = Clock::now();
    });
  }
  std::vector<double> medians;
  for (std::vector<double>& each : times) {
    medians.push_back(median(std::move(each)));
  }
  return medians;
}

void time_operators(Context& context, const Execution& execution, const FloorOf& floor_of_node, bool is_gpu,
                    std::map<NodeKey, OperatorTime>& operators) {
  const Program& program = execution.program();
  const std::vector<double> within = is_gpu ? std::vector<double>() : times_within_step(context, execution);
  for (std::size_t i = 0; i < program.nodes().size(); ++i) {
    const Node& node = program.nodes()[i];
    const NodeKey key = key_of(program, node);
    OperatorTime& entry = operators[key];
    const Cost cost = program.cost(node);
    const bool is_timed_alone = is_gpu || node.traits.is_product;
    const double alone = is_timed_alone ? time_alone(context, is_gpu, [&] { execution.run_node(context, i); }) : 0;
    entry.key = key;
    ++entry.calls;
    entry.ms += is_gpu ? alone : within[i];
    entry.gflop += cost.flops / 1e9;
    entry.megabytes += cost.bytes / 1e6;
    entry.alone_ms += node.traits.is_product ? alone : 0;
    entry.floor_ms += floor_of_node(program, node).us() / 1e3;
  }
}

double thread_cpu_seconds() {
  std::timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void time_steps(Trainer& trainer, double seconds, bool is_gpu, StepBench& result) {
  constexpr int kMostTuningSteps = 320;
  const bool is_tuned = trainer.steps_per_launch() > 0 && trainer.lanes() > 0;
  trainer.run_to(trainer.steps_done() + (is_tuned ? 3 : kMostTuningSteps));
  warm_up(trainer.context(), kWarmSeconds, [&] { trainer.step(); });
  trainer.drain();
  result.steps_per_launch = std::max(1, trainer.steps_per_launch());
  result.lanes = std::max(1, trainer.lanes());
  const int window = is_gpu ? 8 * result.steps_per_launch : 1;
  std::vector<double> times;
  const Clock::time_point begin = Clock::now();
  const double cpu_begin = thread_cpu_seconds(), waited_begin = trainer.waited_seconds();
  while (times.size() < 5 || seconds_since(begin) < seconds) {
    const Clock::time_point window_begin = Clock::now();
    trainer.run_to(trainer.steps_done() + window);
    trainer.drain();
    times.push_back(milliseconds_since(window_begin) / window);
  }
  const double passed = seconds_since(begin);
  result.host_busy = is_gpu ? (thread_cpu_seconds() - cpu_begin) / passed : 0;
  result.waited = (trainer.waited_seconds() - waited_begin) / passed;
  result.ms_median = median(times);
  result.ms_min = *std::min_element(times.begin(), times.end());
  result.ms_max = *std::max_element(times.begin(), times.end());
}

}  // namespace

StepBench bench_step(const Options& options, const Ceilings& ceilings, double seconds) {
  Context context = make_context(options);
  const Data data = open_dataset(options.data);
  Trainer trainer(context, options, data);
  const bool is_gpu = cuda_number(resolve_device(options.device)).has_value();
  StepBench result;
  result.device = context.name();
  result.is_graph = is_gpu && options.schedule.launch == "graph";
  time_steps(trainer, seconds, is_gpu, result);
  std::map<NodeKey, OperatorTime> operators;
  const FloorOf floor_of_node = [&](const Program& program, const Node& node) {
    return floor_of(program, node, ceilings, options.precision == "tf32");
  };
  for (const StepPhase& phase : trainer.phases()) {
    time_operators(context, phase.execution, floor_of_node, is_gpu, operators);
  }
  for (const auto& [key, entry] : operators) {
    result.primitives_ms += entry.alone_ms;
    result.operators_ms += entry.ms;
    result.floor_ms += entry.floor_ms;
    result.gflop += entry.gflop;
    result.megabytes += entry.megabytes;
    result.operator_calls += entry.calls;
    result.operators.push_back(entry);
  }
  std::sort(result.operators.begin(), result.operators.end(),
            [](const OperatorTime& a, const OperatorTime& b) { return a.ms > b.ms; });
  return result;
}

std::string advice(const StepBench& bench) {
  if (bench.ms_max > 2 * bench.ms_median) {
    return fmt::format("The slowest step took {:.1f} times the median: the machine is busy, so measure again alone.",
                       bench.ms_max / bench.ms_median);
  }
  if (bench.waited > 0.02) {
    return fmt::format(
        "For {:.0f} % of the time the device waits for streamed pictures: keep them there "
        "(--residency device) or read them faster.",
        100 * bench.waited);
  }
  const double gaps = bench.ms_median - bench.operators_ms;
  if (gaps > 0.15 * bench.ms_median) {
    return fmt::format(
        "{:.3g} ms of a step ({:.0f} %) pass between operators: launch more steps at once "
        "(--steps-per-launch), or fuse operators.",
        gaps, 100 * gaps / bench.ms_median);
  }
  const auto worst = std::max_element(
      bench.operators.begin(), bench.operators.end(),
      [](const OperatorTime& a, const OperatorTime& b) { return a.ms - a.floor_ms < b.ms - b.floor_ms; });
  return fmt::format(
      "Look at {} of {} first: {:.3g} ms of a step, where {:.3g} is the floor; at that, a step would take "
      "{:.3g} ms.",
      worst->key.op, worst->key.where, worst->ms, worst->floor_ms, bench.ms_median - (worst->ms - worst->floor_ms));
}

}  // namespace duel

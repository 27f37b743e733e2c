#include "host/step_bench.h"

#include "host/dataset.h"
#include "host/device.h"
#include "host/roofline.h"
#include "host/timing.h"
#include "host/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>

namespace duel {

namespace {

double time_call(Context& context, const std::function<void()>& call) {
  context.synchronize();
  const Clock::time_point begin = Clock::now();
  call();
  context.synchronize();
  return milliseconds_since(begin);
}

// A call's median over windows of `in_a_row` calls, warmed up by one.
double time_alone(Context& context, int in_a_row, const std::function<void()>& call) {
  constexpr int kWindows = 9;
  call();
  std::vector<double> times;
  for (int i = 0; i < kWindows; ++i) {
    times.push_back(time_call(context,
                              [&] {
                                for (int repeat = 0; repeat < in_a_row; ++repeat) {
                                  call();
                                }
                              }) /
                    in_a_row);
  }
  return median(times);
}

bool is_primitive(const std::string& op) {
  return op == "matmul" || op.starts_with("conv2d");
}

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

void time_operators(Context& context, const Execution& execution, const std::string& phase, bool is_gpu,
                    std::map<std::string, OperatorTime>& operators) {
  const std::vector<Node>& nodes = execution.program().nodes();
  const std::vector<double> within = is_gpu ? std::vector<double>() : times_within_step(context, execution);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string name = phase + " " + nodes[i].op;
    OperatorTime& entry = operators[name];
    const Cost cost = execution.program().cost(nodes[i]);
    const bool is_timed_alone = is_gpu || is_primitive(nodes[i].op);
    const double alone =
        is_timed_alone ? time_alone(context, is_gpu ? 32 : 1, [&] { execution.run_node(context, i); }) : 0;
    entry.op = name;
    ++entry.calls;
    entry.ms += is_gpu ? alone : within[i];
    entry.gflop += cost.flops / 1e9;
    entry.megabytes += cost.bytes / 1e6;
    entry.alone_ms += is_primitive(nodes[i].op) ? alone : 0;
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
  const Dataset dataset = open_dataset(options.data);
  Trainer trainer(context, options, dataset);
  const bool is_gpu = cuda_number(resolve_device(options.device)).has_value();
  StepBench result;
  result.device = context.name();
  result.is_graph = is_gpu && options.schedule.launch == "graph";
  time_steps(trainer, seconds, is_gpu, result);
  std::map<std::string, OperatorTime> operators;
  time_operators(context, trainer.discriminator_phase(), "d_main", is_gpu, operators);
  time_operators(context, trainer.generator_phase(), "g_main", is_gpu, operators);
  for (const OperatorFloor& floor : make_roofline(options, dataset, ceilings).operators) {
    operators[floor.name].floor_ms = floor.us / 1e3;
    result.floor_ms += floor.us / 1e3;
  }
  for (auto& [name, entry] : operators) {
    result.primitives_ms += entry.alone_ms;
    result.operators_ms += entry.ms;
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
      "Look at {} first: {:.3g} ms of a step, where {:.3g} is the floor; at that, a step would take "
      "{:.3g} ms.",
      worst->op, worst->ms, worst->floor_ms, bench.ms_median - (worst->ms - worst->floor_ms));
}

}  // namespace duel

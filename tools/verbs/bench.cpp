#include "host/bench/step_bench.h"
#include "host/config/configuration.h"
#include "tools/verbs/bench_kernels.h"
#include "tools/verbs/ceiling_flags.h"
#include "tools/verbs/option_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <memory>

namespace duel {

namespace {

struct BenchStep {
  OptionFlags flags;
  CeilingFlags ceiling_flags;
  double seconds = 3;
  bool json = false;

  void print_json(const Options& options, const StepBench& bench) const {
    nlohmann::ordered_json object = {{"preset", options.preset},
                                     {"precision", options.precision},
                                     {"batch", options.train.batch},
                                     {"device", bench.device},
                                     {"threads", options.threads},
                                     {"ms_median", bench.ms_median},
                                     {"ms_min", bench.ms_min},
                                     {"ms_max", bench.ms_max},
                                     {"operator_calls", bench.operator_calls},
                                     {"graph", bench.is_graph},
                                     {"steps_per_launch", bench.steps_per_launch},
                                     {"lanes", bench.lanes},
                                     {"host_busy", bench.host_busy},
                                     {"waited", bench.waited},
                                     {"operators_ms", bench.operators_ms},
                                     {"primitives_ms", bench.primitives_ms},
                                     {"floor_ms", bench.floor_ms},
                                     {"gflop", bench.gflop},
                                     {"megabytes", bench.megabytes},
                                     {"advice", advice(bench)}};
    object["operators"] = nlohmann::ordered_json::array();
    for (const OperatorTime& op : bench.operators) {
      object["operators"].push_back({{"op", op.key.op},
                                     {"arrays", op.key.arrays},
                                     {"where", op.key.where},
                                     {"calls", op.calls},
                                     {"ms", op.ms},
                                     {"alone_ms", op.alone_ms},
                                     {"floor_ms", op.floor_ms},
                                     {"gflop", op.gflop},
                                     {"megabytes", op.megabytes}});
    }
    fmt::print("{}\n", object.dump(2));
  }

  static void add(const OperatorTime& op, OperatorTime& sum) {
    sum.calls += op.calls;
    sum.ms += op.ms;
    sum.alone_ms += op.alone_ms;
    sum.floor_ms += op.floor_ms;
    sum.gflop += op.gflop;
    sum.megabytes += op.megabytes;
  }

  static void print_row(const OperatorTime& op, double step_ms) {
    const auto ms = [](double value) {
      return value < 1 ? fmt::format("{:.4f}", value) : fmt::format("{:.3f}", value);
    };
    fmt::print("{:<24} {:>5} {:>9} {:>9} {:>9} {:>9.1f} {:>9.1f} {:>6.1f}%  {}\n", op.key.op, op.calls, ms(op.ms),
               op.alone_ms > 0 ? ms(op.alone_ms) : "", ms(op.floor_ms), op.gflop / op.ms * 1e3, op.megabytes / op.ms,
               100 * op.ms / step_ms, op.key.where);
  }

  static void print_table(const Options& options, const StepBench& bench) {
    constexpr double kSmallShare = 0.005;  // of a step; those below are one line
    fmt::print("{:<24} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}  {}\n", "operator", "calls", "ms", "alone ms",
               "floor ms", "GFLOP/s", "GB/s", "share", "where");
    OperatorTime small;
    for (const OperatorTime& op : bench.operators) {
      if (op.ms < kSmallShare * bench.ms_median) {
        add(op, small);
      } else {
        print_row(op, bench.ms_median);
      }
    }
    if (small.calls > 0) {
      small.key = {"the others", "", fmt::format("each below {:g} % of a step; --json has them", 100 * kSmallShare)};
      print_row(small, bench.ms_median);
    }
    print_row({{"sum", "", "of the operators, one by one"},
               bench.operator_calls,
               bench.operators_ms,
               bench.primitives_ms,
               bench.floor_ms,
               bench.gflop,
               bench.megabytes},
              bench.ms_median);
    fmt::print("{} {} batch {} on {}: {:.3g} ms a step (median; {:.3g} to {:.3g}), {:.0f} pictures/s\n", options.preset,
               options.precision, options.train.batch, bench.device, bench.ms_median, bench.ms_min, bench.ms_max,
               options.train.batch / bench.ms_median * 1e3);
    const double gaps = bench.ms_median - bench.operators_ms;
    fmt::print(
        "{} operators, {:.3g} GFLOP and {:.3g} MB a step; {:.2f}x the floor of these ({:.3g} ms), {:.2f}x its matrix "
        "products and convolutions alone ({:.3g} ms); {:.3g} ms {}\n",
        bench.operator_calls, bench.gflop, bench.megabytes, bench.ms_median / bench.floor_ms, bench.floor_ms,
        bench.ms_median / bench.primitives_ms, bench.primitives_ms, std::abs(gaps),
        gaps < 0 ? "less than the operators one by one" : "between operators");
    if (bench.host_busy > 0) {
      fmt::print("{}, {} steps a launch, {} lanes; the launching thread is busy {:.0f} % of the time\n",
                 bench.is_graph ? "captured steps" : "operator by operator", bench.steps_per_launch, bench.lanes,
                 100 * bench.host_busy);
    }
    fmt::print("{}\n{}\n", kFloorWords, advice(bench));
  }
};

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("bench", "Measure speed");
  verb->require_subcommand(1);
  add_bench_kernels(*verb, exit_code);
  add_bench_ceilings(*verb, exit_code);
  CLI::App* step = verb->add_subcommand("step", "Time whole training steps of a preset, and each operator in them");
  auto bench = std::make_shared<BenchStep>();
  bench->flags.declare(*step);
  bench->ceiling_flags.declare(*step);
  add_real(*step, "--seconds", bench->seconds, 0, 3600, "about how long whole steps are timed");
  step->add_flag("--json", bench->json, "for programs");
  step->callback([bench, &exit_code] {
    const Options options = bench->flags.resolve();
    validate(options);
    const Ceilings ceilings = bench->ceiling_flags.resolve(options);
    const StepBench result = bench_step(options, ceilings, bench->seconds);
    bench->json ? bench->print_json(options, result) : BenchStep::print_table(options, result);
    exit_code = 0;
  });
}

}  // namespace duel

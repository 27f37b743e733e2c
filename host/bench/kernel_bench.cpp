#include "host/bench/kernel_bench.h"

#include "host/bench/roofline.h"
#include "host/data/open_dataset.h"
#include "host/device/call_timer.h"
#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/train/trainer.h"
#include "kernels/check.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr int kWindows = 7;

Options with_kernels(Options options, const std::string& kernels) {
  options.kernels = kernels;
  return options;
}

// A training on one device whose nodes can be run one by one.
class Bench {
public:
  Bench(Context opened, const Options& options, const Data& data)
      : context_(std::move(opened)), trainer_(context_, options, data) {}

  Context& context() { return context_; }
  std::size_t phases() const { return trainer_.phases().size(); }
  const Execution& phase(std::size_t number) const { return trainer_.phases()[number].execution; }
  std::function<void()> call_of(std::size_t number, std::size_t node) {
    return [this, number, node] { phase(number).run_node(context_, node); };
  }
  void warm_up(double seconds) {
    duel::warm_up(context_, seconds, [this] {
      for (const StepPhase& each : trainer_.phases()) {
        each.execution.run(context_);
      }
    });
  }

private:
  Context context_;
  Trainer trainer_;
};

// What makes two nodes the same problem, as far as its arrays say.
std::string problem_of(const Program& program, const Node& node) {
  return node.op + program.arrays(node);
}

std::map<std::string, int> count_problems(const Bench& bench) {
  std::map<std::string, int> calls;
  for (std::size_t number = 0; number < bench.phases(); ++number) {
    const Program& program = bench.phase(number).program();
    for (const Node& node : program.nodes()) {
      ++calls[problem_of(program, node)];
    }
  }
  return calls;
}

// Ours and the vendor's in turn, each as often the first of the two.
void time_in_turn(Bench& ours, Bench* vendor, std::size_t number, std::size_t node, double milliseconds,
                  KernelTime& time) {
  CallTimer timer(ours.context(), calls_in_a_graph(ours.context()), ours.call_of(number, node));
  std::optional<CallTimer> vendor_timer;
  if (vendor != nullptr) {
    try {
      vendor_timer.emplace(vendor->context(), calls_in_a_graph(vendor->context()), vendor->call_of(number, node));
    } catch (const Error& error) {  // one kernel of a library that fails
      time.vendor_error = error.what();
    }
  }
  const double each = milliseconds / kWindows / (vendor_timer ? 2 : 1);
  std::vector<double> times, vendor_times;
  for (int window = 0; window < 2 * kWindows; ++window) {
    if (window % 4 == 0 || window % 4 == 3) {
      times.push_back(timer.window(each));
    } else if (vendor_timer) {
      vendor_times.push_back(vendor_timer->window(each));
    }
  }
  time.ms = median(times);
  time.vendor_ms = vendor_timer ? median(vendor_times) : 0;
}

}  // namespace

void check_filter(const KernelBenchRequest& request) {
  const Ceilings any = known_ceilings(known_ceiling_names().front());
  const Roofline step = make_roofline(request.options, open_dataset(request.options.data), any);
  const bool leaves_one = std::any_of(step.operators.begin(), step.operators.end(), [&](const OperatorFloor& op) {
    return ::fnmatch(request.filter.c_str(), op.key.op.c_str(), 0) == 0;
  });
  if (!leaves_one) {
    throw_error(Error::Kind::usage, "--filter {}: no operator of the step has such a name, as 'conv2d*' or 'matmul*'",
                request.filter);
  }
}

KernelBench bench_kernels(const KernelBenchRequest& request, const Ceilings& ceilings,
                          const std::function<void(const KernelTime&)>& each) {
  const Options& options = request.options;
  const Data data = open_dataset(options.data);
  std::unique_ptr<Bench> vendor;
  KernelBench result;
  const bool is_gpu = cuda_number(resolve_device(options.device)).has_value();
  try {
    vendor = std::make_unique<Bench>(make_context(with_kernels(options, "vendor")), options, data);
  } catch (const Error& error) {  // a GPU without libraries beside it: ours are timed alone
    check(is_gpu, "bench kernels: oneDNN cannot be used: {}", error.what());
    result.no_vendor = error.what();
  }
  Bench ours(make_context(with_kernels(options, "ours")), options, data);
  std::optional<CacheFlush> flush;
  if (is_gpu) {
    flush.emplace(ours.context(), request.flush_bytes);
  }
  ours.warm_up(request.warm_seconds);

  std::map<std::string, int> calls = count_problems(ours);
  for (std::size_t number = 0; number < ours.phases(); ++number) {
    const Program& program = ours.phase(number).program();
    for (std::size_t i = 0; i < program.nodes().size(); ++i) {
      // In the order of the step, so that every operator finds its inputs in the arena.
      const Node& node = program.nodes()[i];
      ours.call_of(number, i)();
      int& count = calls[problem_of(program, node)];
      KernelTime time;
      if (vendor) {
        try {
          vendor->call_of(number, i)();
        } catch (const Error& error) {
          time.vendor_error = error.what();
        }
      }
      if (count == 0 || ::fnmatch(request.filter.c_str(), node.op.c_str(), 0) != 0) {
        continue;
      }
      const bool is_in_turn = vendor && node.traits.is_product && time.vendor_error.empty();
      time_in_turn(ours, is_in_turn ? vendor.get() : nullptr, number, i, request.milliseconds, time);
      const Cost cost = program.cost(node);
      const NodeFloor floor = floor_of(program, node, ceilings, options.precision == "tf32");
      time.key = key_of(program, node);
      time.calls = std::exchange(count, 0);
      time.cold_ms = flush ? cold_milliseconds(ours.context(), *flush, ours.call_of(number, i)) : 0;
      time.gflop = cost.flops / 1e9;
      time.megabytes = cost.bytes / 1e6;
      time.floor_ms = floor.us() / 1e3;
      time.by_operations = floor.by_operations();
      result.ms += time.calls * time.ms;
      result.floor_ms += time.calls * time.floor_ms;
      if (each) {
        each(time);
      }
      result.kernels.push_back(std::move(time));
    }
  }
  return result;
}

}  // namespace duel

#include "host/kernel_bench.h"

#include "host/dataset.h"
#include "host/device.h"
#include "host/timing.h"
#include "host/trainer.h"
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

Options with_kernels(Options options, const std::string& kernels) {
  options.kernels = kernels;
  return options;
}

// A training on one device whose nodes can be run one by one.
struct Bench {
  Bench(Context opened, const Options& options, const Dataset& dataset)
      : context(std::move(opened)), trainer(context, options, dataset) {}

  const Execution& phase(int number) { return number == 0 ? trainer.discriminator_phase() : trainer.generator_phase(); }

  double window(int number, std::size_t node, int calls) {
    context.synchronize();
    const Clock::time_point begin = Clock::now();
    for (int i = 0; i < calls; ++i) {
      phase(number).run_node(context, node);
    }
    context.synchronize();
    return milliseconds_since(begin) / calls;
  }

  Context context;
  Trainer trainer;
};

// What makes two nodes the same problem, as far as its arrays say; and what a person reads.
// Fills the caches of a GPU with something else.
double cold_milliseconds(Bench& bench, int number, std::size_t node) {
  Buffer other(bench.context, std::size_t{256} << 20);
  std::vector<double> times;
  for (int i = 0; i < 9; ++i) {
    other.clear();
    times.push_back(bench.window(number, node, 1));
  }
  return median(times);
}

}  // namespace

void bench_kernels(const KernelBenchRequest& request, const Ceilings& ceilings,
                   const std::function<void(const KernelTime&)>& each) {
  const Options& options = request.options;
  const Dataset dataset = open_dataset(options.data);
  // The vendor's first: the number of threads that oneDNN takes is that of the context made last, the same for both.
  std::unique_ptr<Bench> vendor;
  const bool is_gpu = cuda_number(resolve_device(options.device)).has_value();
  try {
    vendor = std::make_unique<Bench>(make_context(with_kernels(options, "vendor")), options, dataset);
  } catch (const Error&) {  // a GPU without libraries beside it: ours are timed alone
    check(is_gpu, "bench kernels: oneDNN cannot be used");
  }
  Bench ours(make_context(with_kernels(options, "ours")), options, dataset);

  std::map<std::string, int> calls;
  const auto key_of = [](const Program& program, const Node& node) { return node.op + program.arrays(node); };
  for (const int number : {0, 1}) {
    const Program& program = ours.phase(number).program();
    for (const Node& node : program.nodes()) {
      ++calls[key_of(program, node)];
    }
  }
  for (const int number : {0, 1}) {
    const Program& program = ours.phase(number).program();
    for (std::size_t i = 0; i < program.nodes().size(); ++i) {
      // In the order of the step, so that every operator finds its inputs in the arena.
      const Node& node = program.nodes()[i];
      const double first = ours.window(number, i, 1);
      if (vendor) {
        vendor->window(number, i, 1);
      }
      int& count = calls[key_of(program, node)];
      if (count == 0 || ::fnmatch(request.filter.c_str(), node.op.c_str(), 0) != 0) {
        continue;
      }
      constexpr int kWindows = 7;
      const bool has_vendor = vendor != nullptr && (node.op.starts_with("conv2d") || node.op.starts_with("matmul"));
      const double each_window = request.milliseconds / kWindows / (has_vendor ? 2 : 1);
      const int repeats = static_cast<int>(std::clamp(each_window / std::max(1e-3, first), 1.0, 10000.0));
      std::vector<double> times, vendor_times;
      for (int window = 0; window < kWindows; ++window) {
        times.push_back(ours.window(number, i, repeats));
        if (has_vendor) {
          vendor_times.push_back(vendor->window(number, i, repeats));
        }
      }
      const Cost cost = program.cost(node);
      const bool is_bf16 = std::any_of(node.inputs.begin(), node.inputs.end(), [&](Value input) {
        return input.exists() && program.dtype(input) == DType::bf16;
      });
      const double tflops = ceilings.tflops(is_bf16 ? DType::bf16 : DType::f32, options.precision == "tf32");
      const double flop_ms = tflops > 0 ? cost.flops / tflops / 1e9 : 0;
      const double byte_ms = cost.bytes / ceilings.gigabytes_per_second / 1e6;
      KernelTime time;
      time.op = node.op;
      time.arrays = program.arrays(node);
      time.where = number == 0 ? "d_main" : "g_main";
      if (!node.outputs.empty()) {
        time.where += " " + program.info(node.outputs[0]).name;
      }
      time.calls = std::exchange(count, 0);
      time.ms = median(times);
      time.cold_ms = is_gpu ? cold_milliseconds(ours, number, i) : 0;
      time.vendor_ms = has_vendor ? median(vendor_times) : 0;
      time.gflop = cost.flops / 1e9;
      time.megabytes = cost.bytes / 1e6;
      time.floor_ms = std::max(flop_ms, byte_ms);
      time.by_operations = flop_ms > byte_ms;
      each(time);
    }
  }
}

}  // namespace duel

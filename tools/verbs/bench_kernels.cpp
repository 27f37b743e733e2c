#include "tools/verbs/bench_kernels.h"

#include "host/bench/kernel_bench.h"
#include "host/bench/measure_ceilings.h"
#include "host/device/device.h"
#include "host/device/device_probe.h"
#include "tools/verbs/ceiling_flags.h"
#include "tools/verbs/option_flags.h"
#include "tools/verbs/value_flags.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <memory>

namespace duel {

namespace {

// --- kernels ------------------------------------------------------------------------------------------------------

using Json = nlohmann::ordered_json;

struct BenchKernels {
  OptionFlags flags;
  CeilingFlags ceiling_flags;
  KernelBenchRequest request;
  bool json = false;

  void run() {
    request.options = flags.resolve();
    check_filter(request);
    const Ceilings ceilings = ceiling_flags.resolve(request.options);
    if (json) {
      print_json(ceilings, bench_kernels(request, ceilings));
      return;
    }
    print_head();
    print_end(ceilings, bench_kernels(request, ceilings, print_row));
  }

  static void print_head() {
    fmt::print("{:<24} {:>5} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {}\n", "operator", "calls", "ms", "cold ms", "GB/s",
               "TFLOP/s", "of floor", "vendor/", "arrays");
  }

  static std::string vendor_column(const KernelTime& time) {
    return time.vendor_ms > 0          ? fmt::format("{:.2f}", time.vendor_ms / time.ms)
           : time.vendor_error.empty() ? ""
                                       : "failed";
  }

  static void print_row(const KernelTime& time) {
    fmt::print("{:<24} {:>5} {:>9.4f} {:>9} {:>9.1f} {:>8.3f} {:>7.0f}% {:>8}  {}\n", time.key.op, time.calls, time.ms,
               time.cold_ms > 0 ? fmt::format("{:.4f}", time.cold_ms) : "", time.megabytes / time.ms,
               time.gflop / time.ms, 100 * time.floor_ms / time.ms, vendor_column(time), time.key.arrays);
    std::fflush(stdout);
  }

  void print_end(const Ceilings& ceilings, const KernelBench& bench) const {
    const Options& options = request.options;
    fmt::print(
        "{} {} batch {}: {:.4g} ms for the operators of a step, each alone; their floors add up to {:.4g} ms "
        "({})\n",
        options.preset, options.precision, options.train.batch, bench.ms, bench.floor_ms, ceilings.source);
    fmt::print(
        "of floor: the floor's share of the time; vendor/: how many times longer the library's kernel takes\n{}\n",
        kFloorWords);
    if (!bench.no_vendor.empty()) {
      fmt::print("no kernel of a vendor was timed: {}\n", bench.no_vendor);
    }
    for (const KernelTime& time : bench.kernels) {
      if (!time.vendor_error.empty()) {
        fmt::print("the vendor's kernel failed: {}\n", time.vendor_error);
      }
    }
  }

  void print_json(const Ceilings& ceilings, const KernelBench& bench) const {
    const Options& options = request.options;
    Json object = {{"preset", options.preset},
                   {"precision", options.precision},
                   {"batch", options.train.batch},
                   {"ceilings", ceilings.source},
                   {"gb_per_s", ceilings.gigabytes_per_second},
                   {"tflop_per_s_f32", ceilings.f32},
                   {"tflop_per_s_tf32", ceilings.tf32},
                   {"tflop_per_s_bf16", ceilings.bf16},
                   {"no_vendor", bench.no_vendor},
                   {"ms", bench.ms},
                   {"floor_ms", bench.floor_ms}};
    object["kernels"] = Json::array();
    for (const KernelTime& time : bench.kernels) {
      object["kernels"].push_back(to_json(time));
    }
    fmt::print("{}\n", object.dump(2));
  }

  static Json to_json(const KernelTime& time) {
    return {{"op", time.key.op},
            {"arrays", time.key.arrays},
            {"where", time.key.where},
            {"calls", time.calls},
            {"ms", time.ms},
            {"cold_ms", time.cold_ms},
            {"vendor_ms", time.vendor_ms},
            {"vendor_error", time.vendor_error},
            {"gflop", time.gflop},
            {"megabytes", time.megabytes},
            {"gb_per_s", time.megabytes / time.ms},
            {"tflop_per_s", time.gflop / time.ms},
            {"floor_ms", time.floor_ms},
            {"floor", time.by_operations ? "operations" : "bytes"}};
  }
};

// --- ceilings -----------------------------------------------------------------------------------------------------

struct BenchCeilings {
  OptionFlags flags;
  std::string probe;
  bool json = false;

  void run() const {
    if (!probe.empty()) {
      const DeviceProbe figures = read_probe(probe);
      remember_probe(remembered_probes_path(), figures);
      const std::string kept = remembered_probes_path().string();
      if (json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"device", figures.device}, {"remembered_in", kept}}.dump(2));
      } else {
        fmt::print("lanes of steps on {} are planned by it from now on ({})\n", figures.device, kept);
      }
      return;
    }
    Context context = make_context(flags.resolve());
    const Ceilings ceilings = measure_ceilings(context);
    if (json) {
      nlohmann::ordered_json object = {{"ceilings", ceilings.source},
                                       {"gb_per_s", ceilings.gigabytes_per_second},
                                       {"tflop_per_s_f32", ceilings.f32},
                                       {"tflop_per_s_tf32", ceilings.tf32},
                                       {"tflop_per_s_bf16", ceilings.bf16}};
      for (const Ceilings::Bandwidth& one : ceilings.by_size) {
        object["by_size"].push_back({{"megabytes", one.megabytes}, {"gb_per_s", one.gigabytes_per_second}});
      }
      fmt::print("{}\n", object.dump(2));
      return;
    }
    fmt::print("{}: {:.4g} GB/s of memory, read plus written\n{:>12} {:>9}\n", ceilings.source,
               ceilings.gigabytes_per_second, "arrays of MB", "GB/s");
    for (const Ceilings::Bandwidth& one : ceilings.by_size) {
      fmt::print("{:>12.4g} {:>9.4g}\n", one.megabytes, one.gigabytes_per_second);
    }
    for (const auto& [name, tflops] :
         {std::pair{"f32", ceilings.f32}, {"tf32", ceilings.tf32}, {"bf16", ceilings.bf16}}) {
      if (tflops > 0) {
        fmt::print("{} products: {:.4g} TFLOP/s\n", name, tflops);
      }
    }
  }
};

}  // namespace

void add_bench_kernels(CLI::App& bench, int& exit_code) {
  CLI::App* verb =
      bench.add_subcommand("kernels", "Time each operator of a preset's step alone, beside its floor and the vendor's");
  auto kernels = std::make_shared<BenchKernels>();
  kernels->flags.declare(*verb);
  kernels->ceiling_flags.declare(*verb);
  add_text(*verb, "--filter", kernels->request.filter, "only operators whose name matches, as 'conv2d*'");
  add_real(
      *verb, "--milliseconds", kernels->request.milliseconds, 0.1, 1e5,
      fmt::format("about how long each operator is timed; {:g} where it is not given", kernels->request.milliseconds));
  verb->add_flag("--json", kernels->json, "for programs");
  verb->callback([kernels, &exit_code] {
    kernels->run();
    exit_code = 0;
  });
}

void add_bench_ceilings(CLI::App& bench, int& exit_code) {
  CLI::App* verb = bench.add_subcommand(
      "ceilings", "Measure what a device can do at most: bytes by size of arrays, and products by type");
  auto ceilings = std::make_shared<BenchCeilings>();
  ceilings->flags.declare(*verb);
  add_text(*verb, "--remember", ceilings->probe,
           "measure nothing; keep this output of duel_probe, and plan the lanes of steps on its GPU by it");
  verb->add_flag("--json", ceilings->json, "for programs");
  verb->callback([ceilings, &exit_code] {
    ceilings->run();
    exit_code = 0;
  });
}

}  // namespace duel

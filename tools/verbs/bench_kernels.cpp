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

#include <memory>

namespace duel {

namespace {

struct BenchKernels {
  OptionFlags flags;
  CeilingFlags ceiling_flags;
  KernelBenchRequest request;
  bool json = false;

  void run() {
    request.options = flags.resolve();
    check_filter(request);
    const Ceilings ceilings = ceiling_flags.resolve(request.options);
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::vector<std::string> vendor_errors;
    double total = 0, floor = 0;
    if (!json) {
      fmt::print("{:<24} {:>5} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8}  {}\n", "operator", "calls", "ms", "cold ms", "GB/s",
                 "TFLOP/s", "of floor", "vendor/", "arrays");
    }
    const std::string why_no_vendor = bench_kernels(request, ceilings, [&](const KernelTime& time) {
      total += time.calls * time.ms;
      floor += time.calls * time.floor_ms;
      if (!time.vendor_error.empty()) {
        vendor_errors.push_back(time.vendor_error);
      }
      if (json) {
        rows.push_back(to_json(time));
      } else {
        print_row(time);
      }
    });
    const Options& options = request.options;
    if (json) {
      const nlohmann::ordered_json object = {{"preset", options.preset},
                                             {"precision", options.precision},
                                             {"batch", options.train.batch},
                                             {"ceilings", ceilings.source},
                                             {"gb_per_s", ceilings.gigabytes_per_second},
                                             {"tflop_per_s_f32", ceilings.f32},
                                             {"tflop_per_s_tf32", ceilings.tf32},
                                             {"tflop_per_s_bf16", ceilings.bf16},
                                             {"no_vendor", why_no_vendor},
                                             {"kernels", std::move(rows)}};
      fmt::print("{}\n", object.dump(2));
      return;
    }
    fmt::print(
        "{} {} batch {}: {:.4g} ms for the operators of a step, each alone; their floors add up to {:.4g} ms "
        "({})\n",
        options.preset, options.precision, options.train.batch, total, floor, ceilings.source);
    fmt::print(
        "of floor: the floor's share of the time; vendor/: how many times longer the library's kernel takes\n{}\n",
        kFloorWords);
    if (!why_no_vendor.empty()) {
      fmt::print("no kernel of a vendor was timed: {}\n", why_no_vendor);
    }
    for (const std::string& error : vendor_errors) {
      fmt::print("the vendor's kernel failed: {}\n", error);
    }
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

  static nlohmann::ordered_json to_json(const KernelTime& time) {
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

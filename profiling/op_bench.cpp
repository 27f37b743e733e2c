// duel_op_bench: every operator case tagged `perf` on one backend, beside the least time that its bytes and operations
// can take there (kernels/cost.h): a table for people, JSON for programs.
//
// The floor of a case is the longer of bytes / bandwidth and operations / peak. The bandwidth is measured by a copy
// unless --bandwidth gives it; peaks are never guessed: without --tflops the floor is that of the bytes alone.
//
// Exit codes: 0 all were timed; 1 a case failed; 2 usage; 4 the device cannot be opened.
#include "kernels/check.h"
#include "profiling/copy_speed.h"
#include "profiling/op_timer.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  std::string backend = Context::has_cuda() ? "cuda" : "cpu";
  int threads = 0;
  bool allow_tf32 = false;
  bool all = false, list = false, describe = false;
  std::vector<std::string> filters;
  double bandwidth = 0, tflops = 0, tflops_bf16 = 0;
  std::string json;
  TimerOptions timer;
};

Context open(const BenchOptions& options) {
  return options.backend == "cuda" ? Context::cuda(0, options.allow_tf32) : Context::cpu(options.threads);
}

double measure_bandwidth([[maybe_unused]] const BenchOptions& options) {
#ifdef DUEL_HAS_CUDA
  if (options.backend == "cuda") {
    return copy_gigabytes_per_second_cuda();
  }
#endif
  return copy_gigabytes_per_second_cpu();
}

bool is_chosen(const test::OpCase& op_case, const BenchOptions& options) {
  if (!op_case.is_perf() && !options.all) {
    return false;
  }
  return options.filters.empty() ||
         std::any_of(options.filters.begin(), options.filters.end(), [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), op_case.full_name().c_str(), 0) == 0;
         });
}

// Of the products, and so of the peak: bf16 where any operand is.
bool is_bf16(const test::OpCase& op_case) {
  return std::any_of(op_case.inputs.begin(), op_case.inputs.end(),
                     [](const test::Input& input) { return input.dtype == DType::bf16; });
}

// What is known of a case on this device, as it stands in the JSON. Rates are decimal: GB/s, TFLOP/s.
Json entry_of(const test::OpCase& op_case, const OpTime& time, const BenchOptions& options) {
  const Cost cost = cost_of(op_case);
  const double peak = is_bf16(op_case) ? options.tflops_bf16 : options.tflops;
  const double bytes_ms = cost.bytes / (options.bandwidth * 1e6);
  const double flops_ms = peak > 0 ? cost.flops / (peak * 1e9) : 0;
  const double floor_ms = std::max(bytes_ms, flops_ms);
  return {{"case", op_case.full_name()},
          {"dtype", is_bf16(op_case) ? "bf16" : "f32"},
          {"ms", time.ms},
          {"ms_min", time.ms_min},
          {"queue_ms", time.queue_ms},
          {"queue_bound", options.backend == "cuda" && time.queue_ms > 0.9 * time.ms},
          {"calls", time.calls},
          {"windows", time.windows},
          {"array_sets", time.sets},
          {"bytes", cost.bytes},
          {"flops", cost.flops},
          {"gb_per_s", cost.bytes / time.ms / 1e6},
          {"tflop_per_s", cost.flops / time.ms / 1e9},
          {"floor_ms", floor_ms},
          {"floor", flops_ms > bytes_ms ? "operations" : "bytes"},
          {"share_of_floor", floor_ms / time.ms}};
}

void print_row(const Json& entry) {
  fmt::print("{:<66} {:>10.4f} {:>9.1f} {:>9.3f} {:>10.4f} {:>10} {:>6.1f}%{}\n",
             entry["case"].get_ref<const std::string&>(), entry["ms"].get<double>(), entry["gb_per_s"].get<double>(),
             entry["tflop_per_s"].get<double>(), entry["floor_ms"].get<double>(),
             entry["floor"].get_ref<const std::string&>(), 100 * entry["share_of_floor"].get<double>(),
             entry["queue_bound"].get<bool>() ? " q" : "");
  std::fflush(stdout);
}

// Written anew after each case, whole or not at all, so that one that never ends does not take the others with it.
void write_json(const std::string& path, const Json& report) {
  const std::string unfinished = path + ".part";
  std::ofstream file(unfinished, std::ios::trunc);
  file << report.dump(1) << "\n";
  file.close();
  check(file.good() && std::rename(unfinished.c_str(), path.c_str()) == 0, "{}: cannot be written", path);
}

Json describe(Context& context, const BenchOptions& options) {
  Json report = {{"backend", options.backend}, {"device", context.name()}};
  for (const auto& [what, value] : context.describe()) {
    report[what] = value;
  }
  return report;
}

int bench(BenchOptions options) {
  if (options.list) {
    for (const test::OpCase& op_case : test::all_cases()) {
      if (is_chosen(op_case, options)) {
        fmt::print("{}\n", op_case.full_name());
      }
    }
    return 0;
  }
  Context context = open(options);
  Json report = describe(context, options);
  if (options.describe) {
    fmt::print("{}\n", report.dump(1));
    return 0;
  }
  const bool is_measured = options.bandwidth <= 0;
  if (is_measured) {
    options.bandwidth = measure_bandwidth(options);
  }
  report["bandwidth_gb_per_s"] = options.bandwidth;
  report["bandwidth_is"] = is_measured ? "measured by a copy" : "given";
  report["peak_tflop_per_s"] = {{"f32", options.tflops}, {"bf16", options.tflops_bf16}};
  report["cases"] = Json::array();
  fmt::print("{}; ceilings: {:.0f} GB/s ({}), {} TFLOP/s f32, {} bf16\n", context.name(), options.bandwidth,
             report["bandwidth_is"].get_ref<const std::string&>(),
             options.tflops > 0 ? fmt::format("{:g}", options.tflops) : "unknown",
             options.tflops_bf16 > 0 ? fmt::format("{:g}", options.tflops_bf16) : "unknown");
  fmt::print("{:<66} {:>10} {:>9} {:>9} {:>10} {:>10} {:>7}\n", "case", "ms", "GB/s", "TFLOP/s", "floor ms", "floor of",
             "share");
  int failed = 0, timed = 0;
  for (const test::OpCase& op_case : test::all_cases()) {
    if (!is_chosen(op_case, options) || (op_case.needs_bf16 && !context.supports_bf16())) {
      continue;
    }
    try {
      report["cases"].push_back(entry_of(op_case, time_op(context, op_case, options.timer), options));
      print_row(report["cases"].back());
      ++timed;
    } catch (const std::exception& error) {
      report["cases"].push_back({{"case", op_case.full_name()}, {"error", error.what()}});
      fmt::print("{:<66} FAILED: {}\n", op_case.full_name(), error.what());
      ++failed;
    }
    if (!options.json.empty()) {
      write_json(options.json, report);
    }
  }
  fmt::print("{} timed, {} failed; q: no faster than the host queues calls\n", timed, failed);
  check(timed + failed > 0, "no case is chosen; --list names them, --all adds those that are not tagged perf");
  return failed == 0 ? 0 : 1;
}

}  // namespace

}  // namespace duel

int main(int argc, char** argv) {
  duel::BenchOptions options;
  CLI::App app("Times operators against the least time that their bytes and operations can take");
  app.add_option("--backend", options.backend)->check(CLI::IsMember({"cpu", "cuda"}))->capture_default_str();
  app.add_option("--threads", options.threads, "of the CPU; 0: all");
  app.add_flag("--tf32", options.allow_tf32, "f32 products may run on tensor cores");
  app.add_option("--filter", options.filters,
                 "only cases whose op/name matches this pattern, as *matmul*; may be repeated");
  app.add_flag("--all", options.all, "the tests' small cases too");
  app.add_flag("--list", options.list, "name the cases and time nothing");
  app.add_flag("--describe", options.describe, "print the device as JSON and time nothing");
  app.add_option("--bandwidth", options.bandwidth, "GB/s of memory; measured by a copy where it is not given");
  app.add_option("--tflops", options.tflops, "peak TFLOP/s of f32 products");
  app.add_option("--tflops-bf16", options.tflops_bf16, "peak TFLOP/s of bf16 products");
  app.add_option("--json", options.json, "also write this file, anew after each case");
  app.add_option("--windows", options.timer.windows)->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--window-ms", options.timer.window_ms)->check(CLI::Range(0.01, 1e5))->capture_default_str();
  app.add_option("--limit-ms", options.timer.limit_ms, "no further window of a case after that long");
  app.add_option("--rotate-mib", options.timer.rotate_mib, "calls rotate among sets of arrays of this size together")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return duel::bench(options);
  } catch (const duel::Error& error) {
    std::fprintf(stderr, "duel_op_bench: %s\n", error.what());
    return error.kind() == duel::Error::Kind::device ? 4 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "duel_op_bench: %s\n", error.what());
    return 1;
  }
}

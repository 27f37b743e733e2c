#include "tools/verbs/ceiling_flags.h"

#include "host/device.h"
#include "host/device_probe.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

namespace duel {

void CeilingFlags::declare(CLI::App& verb) {
  verb.add_option("--ceilings", name_,
                  fmt::format("measured (on --device), a probe's FILE.json, or one of {}",
                              fmt::join(known_ceiling_names(), ", ")))
      ->capture_default_str();
  const CLI::Range positive(1e-9, 1e9);
  CLI::Option* bandwidth =
      verb.add_option("--bandwidth", bandwidth_, "GB/s of memory, read plus written")->check(positive);
  CLI::Option* tflops = verb.add_option("--tflops", tflops_, "TFLOP/s of products in --precision")->check(positive);
  bandwidth->needs(tflops);
  tflops->needs(bandwidth);
}

Ceilings CeilingFlags::resolve(const Options& options) const {
  if (bandwidth_ > 0) {
    return {"given", bandwidth_, tflops_, tflops_, tflops_};
  }
  if (name_.ends_with(".json")) {
    return ceilings_of(read_probe(name_));
  }
  if (name_ != "measured") {
    return known_ceilings(name_);
  }
  Context context = make_context(options);
  return measure_ceilings(context);
}

}  // namespace duel

#include "tools/verbs/ceiling_flags.h"

#include "host/bench/measure_ceilings.h"
#include "host/device/device.h"
#include "host/device/device_probe.h"
#include "kernels/check.h"
#include "tools/verbs/value_flags.h"

#include <fmt/ranges.h>

namespace duel {

void CeilingFlags::declare(CLI::App& verb) {
  add_text(verb, "--ceilings", name_,
           fmt::format("measured (on --device; the default), a probe's FILE.json, or one of {}",
                       fmt::join(known_ceiling_names(), ", ")));
  CLI::Option* bandwidth = add_real(verb, "--bandwidth", bandwidth_, 1e-9, 1e9, "GB/s of memory, read plus written");
  CLI::Option* tflops = add_real(verb, "--tflops", tflops_, 1e-9, 1e9, "TFLOP/s of products in --precision");
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

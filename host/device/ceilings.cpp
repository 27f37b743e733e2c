#include "host/device/ceilings.h"

#include "kernels/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace duel {

namespace {

struct Known {
  const char* name;
  Ceilings ceilings;
};

// Copies and bf16 of Hopper: measured, by a device copy and a product of 8192^3. The rest: the makers' data sheets,
// dense.
const std::vector<Known>& known() {
  static const std::vector<Known> list = {
      {"h100",
       {"H100 SXM: copy and bf16 as measured with cuBLAS, f32 and tf32 of the data sheet", 3000, 66.9, 494.7, 798}},
      {"h200", {"H200: bf16 as measured with cuBLAS, the rest of the data sheet", 4800, 66.9, 494.7, 790}},
      {"a100", {"A100 SXM 80 GB: data sheet", 2039, 19.5, 156, 312}},
  };
  return list;
}

}  // namespace

double Ceilings::tflops(DType dtype, bool allow_tf32) const {
  return dtype == DType::bf16 ? bf16 : allow_tf32 && tf32 > 0 ? tf32 : f32;
}

double Ceilings::least_us(double bytes, double working_set) const {
  double least = bytes / gigabytes_per_second / 1e3;
  for (std::size_t i = 0; i < by_size.size(); ++i) {
    const double held = 1e6 * by_size[std::min(i + 1, by_size.size() - 1)].megabytes;
    const double share = working_set > held ? held / working_set : 1;
    least =
        std::min(least, bytes / 1e3 * (share / by_size[i].gigabytes_per_second + (1 - share) / gigabytes_per_second));
  }
  return least;
}

Ceilings known_ceilings(std::string_view name) {
  for (const Known& one : known()) {
    if (name == one.name) {
      return one.ceilings;
    }
  }
  throw_error(Error::Kind::usage, "--ceilings {}: must be measured, a probe's FILE.json, or one of {}", name,
              fmt::join(known_ceiling_names(), ", "));
}

std::vector<std::string> known_ceiling_names() {
  std::vector<std::string> names;
  for (const Known& one : known()) {
    names.emplace_back(one.name);
  }
  return names;
}

}  // namespace duel

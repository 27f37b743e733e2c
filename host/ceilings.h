// What a device can do at most, in bytes and operations a second: what times are compared with.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct Ceilings {
  std::string source;                  // "measured on cpu (2 threads)", "given", or what a table's figures rest on
  double gigabytes_per_second = 0;     // of memory, bytes read plus bytes written
  double f32 = 0, tf32 = 0, bf16 = 0;  // TFLOP/s of products; 0: the device has none such, or it is not known

  // Of a product of arrays of that type; `allow_tf32` where f32 may be rounded.
  double tflops(DType dtype, bool allow_tf32) const;
};

// Measured with this build's own operators, in about 3 seconds: a copy larger than any cache, and square products.
// Where the products are ours, as on a GPU, a better one would lift the ceiling: known_ceilings() has the makers'
// figures.
Ceilings measure_ceilings(Context& context);

// By name: "h100", "h200", "a100". Throws kind `usage` for another name, naming those there are.
Ceilings known_ceilings(std::string_view name);
std::vector<std::string> known_ceiling_names();

}  // namespace duel

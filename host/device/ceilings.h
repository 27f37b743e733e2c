// What a device can do at most, in bytes and operations a second: what times are compared with.
#pragma once

#include "kernels/tensor.h"

#include <string>
#include <string_view>
#include <vector>

namespace duel {

// What the nodes of a captured graph cost beside their work, in microseconds, as a probe measured it on a GPU; 0: not
// measured.
struct NodeCosts {
  double node = 0;             // one node after another
  double node_overlapped = 0;  // with programmatic launch
  double two_lanes_node = 0;   // one more on each of two lanes
  double handover = 0;         // more, where each lane awaits the other
};

struct Ceilings {
  // Bytes read plus written a second where all arrays together are so large.
  struct Bandwidth {
    double megabytes = 0;
    double gigabytes_per_second = 0;
  };

  std::string source;                   // "measured on cpu (2 threads)", "given", or what a table's figures rest on
  double gigabytes_per_second = 0;      // of memory, where the arrays are larger than any cache
  double f32 = 0, tf32 = 0, bf16 = 0;   // TFLOP/s of products; 0: the device has none such, or it is not known
  std::vector<Bandwidth> by_size = {};  // by rising size; empty: only memory's is known
  NodeCosts nodes = {};

  // Of a product of arrays of that type; `allow_tf32` where f32 may be rounded.
  double tflops(DType dtype, bool allow_tf32) const;

  // The least microseconds in which so many bytes are moved, of arrays of `working_set` bytes together, as much of
  // which as a cache holds may lie there. A size that was measured stands for all up to the next.
  double least_us(double bytes, double working_set) const;
};

// By name: "h100", "h200", "a100". Throws kind `usage` for another name, naming those there are.
Ceilings known_ceilings(std::string_view name);
std::vector<std::string> known_ceiling_names();

}  // namespace duel

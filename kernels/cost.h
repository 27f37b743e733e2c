// The least an operator must do: what a roofline or a benchmark compares its time with.
#pragma once

#include "kernels/tensor.h"

#include <initializer_list>

namespace duel {

struct Cost {
  double flops = 0;  // one multiplication and one addition count as two
  double bytes = 0;  // every input read once, every output written once
};

// Bytes of arrays that are each touched once.
inline double bytes_of(std::initializer_list<View> views) {
  double bytes = 0;
  for (const View& view : views) {
    bytes += static_cast<double>(view.bytes());
  }
  return bytes;
}

}  // namespace duel

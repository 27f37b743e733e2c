// What a device can do at most, measured on it.
#pragma once

#include "host/device/ceilings.h"
#include "kernels/context.h"

#include <cstddef>

namespace duel {

// How much is measured. A test takes less.
struct CeilingSizes {
  std::size_t largest_array = std::size_t{1} << 30;
  int largest_product = 0;  // rows and columns; 0: what suits the device
  double window_ms = 8;
};

// Measured with this build's own operators, in some seconds: the best of reading, writing, copying and changing in
// place at each size from 64 KiB on, and the best of several products and of a 5x5 convolution, which has no algorithm
// of fewer multiplications here. Where the products are ours, as on a GPU, a better one would lift the ceiling:
// known_ceilings() has the makers' figures.
Ceilings measure_ceilings(Context& context, const CeilingSizes& sizes = {});

}  // namespace duel

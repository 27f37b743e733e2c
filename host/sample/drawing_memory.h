// What it takes to draw with a generator, known before anything is allocated.
#pragma once

#include "host/device/free_memory.h"
#include "host/recipes/networks.h"
#include "host/recipes/recipe.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

#include <cstddef>
#include <cstdint>

namespace duel {

struct DrawingMemory {                       // bytes
  std::size_t weights = 0, activations = 0;  // on the device
  std::size_t sheet = 0;                     // on the host, where pictures are collected
};

// Batches of a recipe's sampling, and a sheet of so many pictures, or 0.
DrawingMemory plan_drawing(const Sampling& sampling, const Networks& networks, std::int64_t sheet_pictures);

// Throws kind `device` where that does not fit into what is free on the context's device, of a CPU free_memory().
void check_drawing_memory(Context& context, const DrawingMemory& use);
void check_drawing_memory(Context& context, const DrawingMemory& use, const FreeMemory& free);  // the same for so much

}  // namespace duel

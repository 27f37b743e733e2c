// Matrix products in f32 with one extent of thousands, by hand: dense layers on flattened pictures, and their two
// gradients. oneDNN runs them at 0.55 to 0.85 of a Zen 4 core's peak: it copies both operands, and its copies wait for
// the memory. Here the memory's work goes on behind the products.
#pragma once

#include "kernels/cpu/context.h"
#include "kernels/matmul.h"

#include <cstddef>

namespace duel {

bool suits_matmul_long(const Matmul& p, View a, View b, View bias, View y);
std::size_t matmul_long_scratch_bytes(const CpuContext& context, View y);
void matmul_long(CpuContext& context, const Matmul& p, View a, View b, View bias, View y);

}  // namespace duel

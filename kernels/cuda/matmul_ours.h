// Our kernels for matrix products, on whatever arrays the contract allows.
#pragma once

#include "kernels/matmul.h"

namespace duel {

class CudaContext;

void matmul_ours(CudaContext& context, const Matmul& matmul, View a, View b, View bias, View y);

}  // namespace duel

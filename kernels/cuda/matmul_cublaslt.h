// Matrix products by cuBLASLt (contract: kernels/matmul.h): a bias and ReLU in its epilogue, and no other activation.
#pragma once

#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/vendor_plan.h"
#include "kernels/matmul.h"

namespace duel {

// The library's own choice of algorithms, best first: those that give the same bytes each time, f32 sums, and for f32
// arrays f32 products unless `allow_tf32`. Null for an activation that it has not. Inputs of a plan: a, b, bias.
// `library` outlives the plans.
std::unique_ptr<VendorPlans> cublaslt_matmul_plans(const CublasLt& library, const Matmul& matmul, bool allow_tf32,
                                                   View a, View b, View bias, View y);

}  // namespace duel

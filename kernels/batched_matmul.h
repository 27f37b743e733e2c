// A matrix product for each matrix of a batch: the scores and the sums of attention, and their derivatives.
//
//   y[i,m,n] = sum_k A[i,m,k] * B[i,k,n]      A[i] = a[i] or its transpose, B[i] = b[i] or its transpose
//
// a [B,M,K] or [B,K,M], b [B,K,N] or [B,N,K], each f32 or bf16 (both the same); y f32 or bf16 [B,M,N]. Sums are f32. y
// may not overlap an input. The same call gives the same bytes on the same device and number of threads.
//
// Derivatives: those of a matrix product (matmul.h), for each matrix; so the set is closed.
#pragma once

#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

namespace duel {

struct BatchedMatmul {
  bool transpose_a = false;
  bool transpose_b = false;
};

// Builds what the call needs; optional, as prepare_matmul is.
void prepare_batched_matmul(Context& context, const BatchedMatmul& matmul, View a, View b, View y);
void batched_matmul(Context& context, const BatchedMatmul& matmul, View a, View b, View y);

Shape batched_matmul_output(const BatchedMatmul& matmul, const Shape& a, const Shape& b);
Cost batched_matmul_cost(const BatchedMatmul& matmul, View a, View b, View y);

}  // namespace duel

// Matrix product with an optional bias and activation: a dense layer, and both of its derivatives.
//
//   y[m,n] = act( sum_k A[m,k] * B[k,n] + bias[n] )      A = a or its transpose, B = b or its transpose
//
// a [M,K] or [K,M], b [K,N] or [N,K], each f32 or bf16 (both the same), of rank 2 or more: the leading extents of
// a higher rank count as one (as many as the other operand needs: an array [64,7,7,32] is the matrix [64,1568]).
// bias f32 [N], or a View without a shape for none. y f32 or bf16 [M,N]. Sums are f32. y may not overlap an input.
// The same call gives the same bytes on the same device and number of threads.
//
// Derivatives: dA = dy B^T, dB = A^T dy, both matrix products; so the set is closed. With an activation, first
// activation_backward (bias_act.h).
#pragma once

#include "kernels/activation.h"
#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

namespace duel {

struct Matmul {
  bool transpose_a = false;
  bool transpose_b = false;
  Activation activation;
};

// Builds what the call needs (primitives, scratch), so that the call itself allocates nothing. The views need no
// data. Optional: an unprepared call prepares itself.
void prepare_matmul(Context& context, const Matmul& matmul, View a, View b, View bias, View y);
void matmul(Context& context, const Matmul& matmul, View a, View b, View bias, View y);

Shape matmul_output(const Matmul& matmul, const Shape& a, const Shape& b);
Cost matmul_cost(const Matmul& matmul, View a, View b, View bias, View y);

}  // namespace duel

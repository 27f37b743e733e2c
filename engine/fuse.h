// Rewrites of a recorded and differentiated program to fused operators. What each does:
//
//   matmul, bias_act_forward          -> matmul with bias and activation in its epilogue
//   conv2d_forward, bias_act_forward  -> conv2d_forward with the same
//   activation_backward, reduce_sum   -> bias_act_backward, one pass over the gradient instead of two
//
// Only where the array between the two is used nowhere else. Fused nodes have no derivative, so fuse comes after
// differentiate. tests/engine/fuse_test.cpp holds each against the unfused chain.
#pragma once

#include "engine/program.h"

namespace duel {

void fuse(Program& program);

}  // namespace duel

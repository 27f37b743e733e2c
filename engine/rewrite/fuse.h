// Rewrites of a recorded and differentiated program to fused operators. What each does:
//
//   matmul, bias_act_forward          -> matmul with bias and activation in its epilogue
//   conv2d_forward, bias_act_forward  -> conv2d_forward with the same
//   activation_backward, reduce_sum   -> bias_act_backward, one pass over the gradient instead of two
//   bias_act_backward, conv2d_backward_weight of a picture of few channels -> conv2d_bias_act_backward, in one pass
//   batch_norm, bias_act_forward      -> batch_norm with the activation (no bias, and with given statistics too)
//   adam, ema of the same weights    -> adam that averages them, in one pass over the weights
//   random_normal, cast              -> random_normal of the other type; equal casts of one array -> one
//
// Nodes on small arrays, such as a loss's, are left to small_nodes.h.
// Only where the array between the two is used nowhere else, or is an output of the fused operator as well. Fused nodes
// have no derivative, so fuse comes after differentiate. tests/engine/fuse_test.cpp holds each against the unfused
// chain.
#pragma once

#include "engine/program/program.h"

namespace duel {

void fuse(Program& program);

}  // namespace duel

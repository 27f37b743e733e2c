// Nodes that both recording (ops.cpp) and rewriting (fuse.cpp) make: layers with an optional bias and activation.
#pragma once

#include "engine/program.h"
#include "kernels/conv2d.h"
#include "kernels/matmul.h"

namespace duel {

Node matmul_node(const Program& program, const Matmul& matmul, Value a, Value b, Value bias);
Node conv2d_node(const Program& program, const Conv2d& conv, const Activation& act, Value x, Value w, Value bias);

// Two outputs: the gradient before the activation, and its sum over rows. The caller sets `outputs`.
Node bias_act_backward_node(const Activation& act, Value dy, Value y);

}  // namespace duel

// Nodes that both recording (ops/) and rewriting (fuse.cpp) make: layers with an optional bias and activation, and
// what has several outputs, which the caller sets. And what several of them say about themselves.
#pragma once

#include "engine/program/program.h"
#include "kernels/batch_norm.h"
#include "kernels/conv2d.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/random.h"
#include "kernels/schedule.h"

#include <string>
#include <vector>

namespace duel {

Attribute attribute_of(const std::string& name, const Schedule& schedule);  // a constant as its number
Attributes attributes_of(const Activation& act);
Attributes attributes_of(const Conv2d& conv);
Attributes attributes_of(const Random& random);

// The activation of `x` as the form's last step; no step where it is none.
void add_activation(OnnxForm& form, const Activation& act, OnnxOperand x);

// Of a convolution or one of its derivatives, by the arrays of its forward pass.
Traits conv2d_traits(const Conv2d& conv, const Shape& x, const Shape& w, const Shape& y);

Node matmul_node(const Program& program, const Matmul& matmul, Value a, Value b, Value bias);
Node conv2d_node(const Program& program, const Conv2d& conv, const Activation& act, Value x, Value w, Value bias);

// Outputs: the gradient before the activation, and its sum over rows.
Node bias_act_backward_node(const Activation& act, Value dy, Value y);

// Outputs: dz, dw, db (kernels/conv2d_bias_act.h). `w`: the filters' shape.
Node conv2d_bias_act_backward_node(const Program& program, const Conv2d& conv, const Activation& act, Value x, Value dy,
                                   Value y, const Shape& w);

// Inputs: step, gradient_scale (or none), gradient, w, m, v, compute (or none), and the average where there is one.
// Changes those from w on.
Node adam_node(const Program& program, const Adam& p, const std::vector<Value>& inputs);

// Outputs: y, mean, rstd.
Node batch_norm_node(const BatchNorm& p, Value x, Value gamma, Value beta);
Node batch_norm_inference_node(const BatchNorm& p, Value x, Value gamma, Value beta, Value mean, Value variance);

}  // namespace duel

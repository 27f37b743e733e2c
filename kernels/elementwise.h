// Pointwise arithmetic. All arrays of a call have one shape; unless said otherwise one type, f32 or bf16, and the
// arithmetic is f32. The output may be any of the inputs.
//
//   add       y = a + b
//   multiply  y = a * b
//   affine    y = scale * x + shift
//   unary     y = f(x), f as below
//   clamp     y = low where x < low, high where x > high, else x; low <= high
//   fill      y = value; y may be i32 too, for whole numbers below 2^24
//   cast      y = x in y's type (f32 <-> bf16, rounded to nearest even); x and y may not overlap
//
//   softplus    log(1 + exp(x)), as max(x,0) + log1p(exp(-|x|))      derivative sigmoid(x)
//   sigmoid     1 / (1 + exp(-x))
//   square_root sqrt(x)                                              x >= 0
//   reciprocal  1 / x
//   positive    x > 0 ? 1 : 0                                        derivative taken as 0
//   exp         e^x
//   log         the natural logarithm                                x >= 0; minus infinity at 0
//   abs         |x|                                                  derivative sign(x)
//   sign        1, -1, or x itself where it is 0 or not a number     derivative taken as 0
//   sin, cos    of radians
//   rsqrt       1 / sqrt(x)                                          x >= 0; infinity at 0
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

enum class UnaryKind { softplus, sigmoid, square_root, reciprocal, positive, exp, log, abs, sign, sin, cos, rsqrt };

inline constexpr UnaryKind kUnaryKinds[] = {UnaryKind::softplus,   UnaryKind::sigmoid,  UnaryKind::square_root,
                                            UnaryKind::reciprocal, UnaryKind::positive, UnaryKind::exp,
                                            UnaryKind::log,        UnaryKind::abs,      UnaryKind::sign,
                                            UnaryKind::sin,        UnaryKind::cos,      UnaryKind::rsqrt};

struct Affine {
  float scale = 1.0F;
  float shift = 0.0F;
};

struct Clamp {
  float low = 0.0F;
  float high = 1.0F;
};

void add(Context&, View a, View b, View y);
void multiply(Context&, View a, View b, View y);
void affine(Context&, const Affine&, View x, View y);
void unary(Context&, UnaryKind, View x, View y);
void clamp(Context&, const Clamp&, View x, View y);
void fill(Context&, float value, View y);
void cast(Context&, View x, View y);

const char* name_of(UnaryKind kind);

}  // namespace duel

#include "engine/ops.h"

#include "engine/nodes.h"
#include "kernels/bias_act.h"
#include "kernels/check.h"
#include "kernels/rows.h"
#include "kernels/step_state.h"

#include <array>

namespace duel::ops {

namespace {

// The type in which gradients with respect to an input are stored.
DType gradient_type(Backward& b, std::size_t index) {
  Program& p = b.program();
  return p.info(p.root(b.input(index))).gradient_dtype;
}

// The gradient in the type of an operand that it is to be multiplied with.
Value gradient_as(Backward& b, std::size_t index) {
  return cast(b.program(), b.gradient(), b.program().dtype(b.input(index)));
}

// A pointwise node: one shape, may overwrite its first input.
template <class Run>
Node pointwise(const char* op, std::vector<Value> inputs, Run run) {
  Node node;
  node.op = op;
  node.inputs = std::move(inputs);
  node.run = std::move(run);
  node.in_place = true;
  return node;
}

// a + b, either of which may not exist: zero.
Value sum_of(Program& program, Value a, Value b) {
  return !a.exists() ? b : !b.exists() ? a : add(program, a, b);
}

// Whether all elements are known to be 1, as those of a loss's gradient with respect to itself are.
bool is_one(const Program& program, Value value) {
  const int producer = program.info(program.root(value)).producer;
  if (producer < 0) {
    return false;
  }
  const Node& node = program.nodes()[static_cast<std::size_t>(producer)];
  return node.op == "fill" && std::any_cast<double>(node.parameters) == 1.0;
}

}  // namespace

// --- layers ---------------------------------------------------------------------------------------------------

Value matmul(Program& program, const Matmul& p, Value a, Value b, DType out) {
  Node node = matmul_node(program, p, a, b, {});
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      const Value g = gradient_as(back, 1), other = back.input(1);
      const Value da = p.transpose_a ? matmul(pr, {p.transpose_b, true, {}}, other, g, gradient_type(back, 0))
                                     : matmul(pr, {false, !p.transpose_b, {}}, g, other, gradient_type(back, 0));
      back.set(0, da);
    }
    if (back.wants(1)) {
      const Value g = gradient_as(back, 0), other = back.input(0);
      const Value db = p.transpose_b ? matmul(pr, {true, p.transpose_a, {}}, g, other, gradient_type(back, 1))
                                     : matmul(pr, {!p.transpose_a, false, {}}, other, g, gradient_type(back, 1));
      back.set(1, db);
    }
  };
  return program.record(std::move(node), matmul_output(p, program.shape(a), program.shape(b)), out);
}

Value conv2d(Program& program, const Conv2d& p, Value x, Value w) {
  Node node = conv2d_node(program, p, {}, x, w, {});
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d_backward_input(pr, p, gradient_as(back, 1), back.input(1), pr.shape(back.input(0)),
                                        gradient_type(back, 0)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d_backward_weight(pr, p, back.input(0), gradient_as(back, 0), pr.shape(back.input(1))));
    }
  };
  return program.record(std::move(node), conv2d_output(p, program.shape(x), program.shape(w)), program.dtype(x));
}

Value conv2d_backward_input(Program& program, const Conv2d& p, Value dy, Value w, const Shape& x, DType out) {
  Node node;
  node.op = "conv2d_backward_input";
  node.parameters = p;
  node.inputs = {dy, w};
  node.prepare = [p](Context& c, Views in, Views o) { duel::prepare_conv2d_backward_input(c, p, in[0], in[1], o[0]); };
  node.run = [p](Context& c, Views in, Views o) { duel::conv2d_backward_input(c, p, in[0], in[1], o[0]); };
  node.flops = conv2d_cost(p, {nullptr, x}, program.described(w), program.described(dy)).flops;
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d(pr, p, gradient_as(back, 1), back.input(1)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d_backward_weight(pr, p, gradient_as(back, 0), back.input(0), pr.shape(back.input(1))));
    }
  };
  return program.record(std::move(node), x, out);
}

Value conv2d_backward_weight(Program& program, const Conv2d& p, Value x, Value dy, const Shape& w) {
  Node node;
  node.op = "conv2d_backward_weight";
  node.parameters = p;
  node.inputs = {x, dy};
  node.prepare = [p](Context& c, Views in, Views o) { duel::prepare_conv2d_backward_weight(c, p, in[0], in[1], o[0]); };
  node.run = [p](Context& c, Views in, Views o) { duel::conv2d_backward_weight(c, p, in[0], in[1], o[0]); };
  node.flops = conv2d_cost(p, program.described(x), {nullptr, w}, program.described(dy)).flops;
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    if (back.wants(0)) {
      back.set(0, conv2d_backward_input(pr, p, back.input(1), gradient_as(back, 1), pr.shape(back.input(0)),
                                        gradient_type(back, 0)));
    }
    if (back.wants(1)) {
      back.set(1, conv2d(pr, p, back.input(0), gradient_as(back, 0)));
    }
  };
  return program.record(std::move(node), w, DType::f32);
}

Value bias_act(Program& program, const Activation& act, Value x, Value bias) {
  if (act.kind == ActivationKind::identity && !bias.exists()) {
    return x;
  }
  Node node = pointwise("bias_act_forward", {x, bias}, [act](Context& c, Views in, Views out) {
    duel::bias_act_forward(c, act, in[0], in[1], out[0]);
  });
  node.parameters = act;
  node.derive = [act](Backward& back) {
    Program& pr = back.program();
    const Value dx =
        act.kind == ActivationKind::identity
            ? back.gradient()
            : activation_backward(pr, act, cast(pr, back.gradient(), pr.dtype(back.output())), back.output());
    back.set(0, dx);
    if (back.wants(1)) {
      back.set(1, reduce_sum(pr, {Axes::each_column, 1.0F}, dx));
    }
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value activation_backward(Program& program, const Activation& act, Value dy, Value y) {
  Node node = pointwise("activation_backward", {dy, y}, [act](Context& c, Views in, Views out) {
    duel::activation_backward(c, act, in[0], in[1], out[0]);
  });
  node.parameters = act;
  node.derive = [act](Backward& back) {
    Program& pr = back.program();
    const Value g = back.gradient(), dy_in = back.input(0), y_in = back.input(1);
    if (back.wants(0)) {
      back.set(0, activation_backward(pr, act, g, y_in));
    }
    // With respect to y: zero for the piecewise linear ones; tanh -2 y dy, sigmoid (1 - 2 y) dy.
    if (back.wants(1) && (act.kind == ActivationKind::tanh || act.kind == ActivationKind::sigmoid)) {
      const Value slope = affine(pr, y_in, -2.0, act.kind == ActivationKind::sigmoid ? 1.0 : 0.0);
      back.set(1, multiply(pr, multiply(pr, g, dy_in), slope));
    }
  };
  return program.record(std::move(node), program.shape(dy), program.dtype(dy));
}

// --- batch normalisation --------------------------------------------------------------------------------------
//
// M rows; h = (x - mean) rstd; S(.) sums over rows. All rules but batch_norm_backward itself are made of the small
// operators, in f32: nothing trains through them unless a gradient penalty reaches a network that normalises.

namespace {

// One number per column (f32 [C]) as an array of that shape.
Value spread(Program& program, Value columns, const Shape& shape, double scale = 1) {
  return broadcast(program, {Axes::each_column, static_cast<float>(scale)}, columns, shape, DType::f32);
}

Value sum_of_columns(Program& program, Value x) {
  return reduce_sum(program, {Axes::each_column, 1.0F}, x);
}

// x - mean
Value centred(Program& program, Value x, Value mean) {
  return add(program, cast(program, x, DType::f32), spread(program, mean, program.shape(x), -1.0));
}

// h
Value normalized(Program& program, Value x, Value mean, Value rstd) {
  return multiply(program, centred(program, x, mean), spread(program, rstd, program.shape(x)));
}

double rows_of(const Program& program, Value x) {
  return static_cast<double>(program.shape(x).outer_count());
}

}  // namespace

BatchNormed batch_norm(Program& program, const BatchNorm& p, Value x, Value gamma, Value beta) {
  check(p.activation == Activation{}, "batch_norm: the activation {} is to be recorded apart, and fused",
        to_string(p.activation));
  Node node = batch_norm_node(p, x, gamma, beta);
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    const Value in = back.input(0), mean = back.output(1), rstd = back.output(2);
    Value dx;
    if (back.gradient(0).exists()) {
      const BatchNormGradients g =
          batch_norm_backward(pr, cast(pr, back.gradient(0), pr.dtype(in)), in, back.input(1), mean, rstd);
      dx = g.dx;
      back.set(1, g.dgamma);
      back.set(2, g.dbeta);
    }
    if (back.wants(0) && (back.gradient(1).exists() || back.gradient(2).exists())) {
      // d mean / dx = 1 / M and d rstd / dx = -rstd^2 h / M
      Value more;
      if (back.gradient(1).exists()) {
        more = spread(pr, back.gradient(1), pr.shape(in), 1 / rows_of(pr, in));
      }
      if (back.gradient(2).exists()) {
        const Value slope = multiply(pr, back.gradient(2), multiply(pr, rstd, rstd));
        more =
            sum_of(pr, more,
                   multiply(pr, spread(pr, slope, pr.shape(in), -1 / rows_of(pr, in)), normalized(pr, in, mean, rstd)));
      }
      dx = dx.exists() ? add(pr, cast(pr, dx, DType::f32), more) : more;
    }
    if (dx.exists()) {
      back.set(0, dx);
    }
  };
  const Shape columns = program.shape(gamma);
  const BatchNormed result{program.new_value(program.shape(x), program.dtype(x)),
                           program.new_value(columns, DType::f32), program.new_value(columns, DType::f32)};
  program.record(std::move(node), {result.y, result.mean, result.rstd});
  return result;
}

// With k = gamma rstd, and u, v, w the gradients with respect to dx, dgamma and dbeta, the sum to be differentiated is
//   L = k (S(u dy) - (a dbeta + b dgamma) / M) + v dgamma + w dbeta,   a = S(u), b = S(u h), dbeta = S(dy),
//   dgamma = S(dy h)
// so with Q = S(u dy) - (a dbeta + b dgamma) / M, V = v - k b / M and X = dL/dh = V dy - (k dgamma / M) u:
//   dL/d dy = k (u - a / M - h b / M) + v h + w      the first part is batch_norm_backward of u, and a and b come with
//   it dL/dgamma = rstd Q;  dL/dx = X rstd;  dL/dmean = -S(X) rstd;  dL/drstd = gamma Q + S(X (x - mean))
BatchNormGradients batch_norm_backward(Program& program, Value dy, Value x, Value gamma, Value mean, Value rstd) {
  Node node;
  node.op = "batch_norm_backward";
  node.inputs = {dy, x, gamma, mean, rstd};
  node.in_place = true;
  node.run = [](Context& c, Views in, Views out) {
    duel::batch_norm_backward(c, in[0], in[1], in[2], in[3], in[4], out[0], out[1], out[2]);
  };
  node.derive = [](Backward& back) {
    Program& pr = back.program();
    const Value dy_in = back.input(0), x_in = back.input(1), g = back.input(2), m = back.input(3), r = back.input(4);
    const Value dgamma = back.output(1), dbeta = back.output(2);
    const Value u = back.gradient(0), v = back.gradient(1), w = back.gradient(2);
    const Shape shape = pr.shape(x_in);
    const double share = 1 / rows_of(pr, x_in);
    const Value wide_dy = cast(pr, dy_in, DType::f32), k = multiply(pr, g, r);
    Value by_dy = w.exists() ? spread(pr, w, shape) : Value{};
    if (v.exists()) {
      by_dy = sum_of(pr, by_dy, multiply(pr, spread(pr, v, shape), normalized(pr, x_in, m, r)));
    }
    Value V = v, X, Q;
    if (u.exists()) {
      const Value wide_u = cast(pr, u, DType::f32);
      const BatchNormGradients of_u = batch_norm_backward(pr, cast(pr, u, pr.dtype(x_in)), x_in, g, m, r);
      const Value a = of_u.dbeta, b = of_u.dgamma;
      by_dy = sum_of(pr, by_dy, cast(pr, of_u.dx, DType::f32));
      V = sum_of(pr, V, affine(pr, multiply(pr, k, b), -share));
      X = multiply(pr, spread(pr, multiply(pr, k, dgamma), shape, -share), wide_u);
      const Value products = add(pr, multiply(pr, a, dbeta), multiply(pr, b, dgamma));
      Q = add(pr, sum_of_columns(pr, multiply(pr, wide_u, wide_dy)), affine(pr, products, -share));
      back.set(2, multiply(pr, r, Q));
    }
    back.set(0, by_dy);
    if (!V.exists()) {
      return;  // of dbeta alone, which depends on dy alone
    }
    X = sum_of(pr, X, multiply(pr, spread(pr, V, shape), wide_dy));
    back.set(1, multiply(pr, X, spread(pr, r, shape)));
    back.set(3, affine(pr, multiply(pr, sum_of_columns(pr, X), r), -1.0));
    const Value by_h = sum_of_columns(pr, multiply(pr, X, centred(pr, x_in, m)));
    back.set(4, Q.exists() ? add(pr, multiply(pr, g, Q), by_h) : by_h);
  };
  const Shape columns = program.shape(gamma);
  const BatchNormGradients result{program.new_value(program.shape(x), program.dtype(x)),
                                  program.new_value(columns, DType::f32), program.new_value(columns, DType::f32)};
  program.record(std::move(node), {result.dx, result.dgamma, result.dbeta});
  return result;
}

Value batch_norm_inference(Program& program, const BatchNorm& p, Value x, Value gamma, Value beta, Value mean,
                           Value variance) {
  check(p.activation == Activation{}, "batch_norm_inference: the activation {} is to be recorded apart, and fused",
        to_string(p.activation));
  Node node = batch_norm_inference_node(p, x, gamma, beta, mean, variance);
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    const Value in = back.input(0), g = back.input(1), m = back.input(3);
    const Value deviation =
        unary(pr, UnaryKind::square_root, affine(pr, back.input(4), 1.0, static_cast<double>(p.epsilon)));
    const Value r = unary(pr, UnaryKind::reciprocal, deviation), k = multiply(pr, g, r);
    const Value dy = cast(pr, back.gradient(), DType::f32);
    const Value by_beta = sum_of_columns(pr, dy);
    // S(dy (x - mean)): the derivative by k
    const Value by_k = sum_of_columns(pr, multiply(pr, dy, centred(pr, in, m)));
    back.set(0, multiply(pr, dy, spread(pr, k, pr.shape(in))));
    back.set(1, multiply(pr, by_k, r));
    back.set(2, by_beta);
    back.set(3, affine(pr, multiply(pr, by_beta, k), -1.0));
    back.set(4, affine(pr, multiply(pr, multiply(pr, by_k, k), multiply(pr, r, r)), -0.5));  // dr/dvariance = -r^3 / 2
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

// --- losses ---------------------------------------------------------------------------------------------------

namespace {

// What the gradients with respect to dfake and dreal (either may not exist) give to fake and real: their product with
// the loss's second derivatives, which are zero for hinge and wgan. N: how many logits there are.
struct Curvature {
  Value fake, real;
};
Curvature curvature(Program& pr, const GanLoss& p, Value real, Value fake, Value by_dfake, Value by_dreal) {
  const double share = 1 / static_cast<double>(pr.shape(fake).count());
  // sigmoid'(x) times the gradient and a scale; sigmoid'(-x) is the same.
  const auto bent = [&](Value gradient, Value x, double scale) {
    if (!gradient.exists()) {
      return Value{};
    }
    const Value slope = activation_backward(pr, {ActivationKind::sigmoid}, gradient, unary(pr, UnaryKind::sigmoid, x));
    return affine(pr, slope, scale);
  };
  const auto scaled = [&](Value gradient, double scale) {
    return gradient.exists() ? affine(pr, gradient, scale) : Value{};
  };
  switch (p.kind) {
    case LossKind::bce: {
      const double scale = p.side == LossSide::discriminator ? share / 2 : share;
      return {bent(by_dfake, fake, scale), bent(by_dreal, real, scale)};
    }
    case LossKind::lsgan: return {scaled(by_dfake, share), scaled(by_dreal, share)};
    case LossKind::relativistic: {
      const Value gradient = sum_of(pr, by_dreal, scaled(by_dfake, -1.0));
      const Value by_real = bent(gradient, add(pr, real, affine(pr, fake, -1.0)), share);
      return {scaled(by_real, -1.0), by_real};
    }
    case LossKind::hinge:
    case LossKind::wgan: return {};
  }
  throw_error(Error::Kind::internal, "gan_loss: unknown kind");
}

}  // namespace

Value gan_loss(Program& program, const GanLoss& p, Value real, Value fake) {
  Node node = gan_loss_node(p, real, fake);
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    const bool reals = needs_reals(p);
    const Value real_in = back.input(0), fake_in = back.input(1), gradient = back.gradient(0);
    const auto times_gradient = [&](Value of_loss) {
      return is_one(pr, gradient)
                 ? of_loss
                 : multiply(pr, of_loss,
                            broadcast(pr, {Axes::all, 1.0F}, gradient, pr.shape(of_loss), pr.dtype(of_loss)));
    };
    Curvature result;
    const Value by_dfake = back.gradient(1), by_dreal = reals ? back.gradient(2) : Value{};
    if (by_dfake.exists() || by_dreal.exists()) {
      result = curvature(pr, p, real_in, fake_in, by_dfake, by_dreal);
    }
    if (gradient.exists()) {
      result.fake = sum_of(pr, result.fake, times_gradient(back.output(1)));
      if (reals) {
        result.real = sum_of(pr, result.real, times_gradient(back.output(2)));
      }
    }
    back.set(0, result.real);
    back.set(1, result.fake);
  };
  const Shape shape = program.shape(fake);
  const DType dtype = program.dtype(fake);
  std::vector<Value> outputs = {program.new_value({1}, DType::f32), program.new_value(shape, dtype)};
  if (needs_reals(p)) {
    outputs.push_back(program.new_value(shape, dtype));
  }
  program.record(std::move(node), outputs);
  return outputs[0];
}

// --- arithmetic -----------------------------------------------------------------------------------------------

Value add(Program& program, Value a, Value b) {
  Node node = pointwise("add", {a, b}, [](Context& c, Views in, Views out) { duel::add(c, in[0], in[1], out[0]); });
  node.derive = [](Backward& back) {
    back.set(0, back.gradient());
    back.set(1, back.gradient());
  };
  return program.record(std::move(node), program.shape(a), program.dtype(a));
}

Value multiply(Program& program, Value a, Value b) {
  Node node =
      pointwise("multiply", {a, b}, [](Context& c, Views in, Views out) { duel::multiply(c, in[0], in[1], out[0]); });
  node.derive = [](Backward& back) {
    for (const std::size_t side : {0U, 1U}) {
      if (back.wants(side)) {
        back.set(side, multiply(back.program(), back.gradient(), back.input(1 - side)));
      }
    }
  };
  return program.record(std::move(node), program.shape(a), program.dtype(a));
}

Value affine(Program& program, Value x, double scale, double shift) {
  const Affine p{static_cast<float>(scale), static_cast<float>(shift)};
  Node node = pointwise("affine", {x}, [p](Context& c, Views in, Views out) { duel::affine(c, p, in[0], out[0]); });
  node.derive = [scale](Backward& back) { back.set(0, affine(back.program(), back.gradient(), scale)); };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value unary(Program& program, UnaryKind kind, Value x) {
  Node node = pointwise("unary", {x}, [kind](Context& c, Views in, Views out) { duel::unary(c, kind, in[0], out[0]); });
  node.op = name_of(kind);
  node.constant = kind == UnaryKind::positive;
  node.derive = [kind](Backward& back) {
    Program& pr = back.program();
    const Value g = back.gradient(), y = back.output();
    switch (kind) {
      case UnaryKind::softplus: back.set(0, multiply(pr, g, unary(pr, UnaryKind::sigmoid, back.input(0)))); return;
      case UnaryKind::sigmoid: back.set(0, activation_backward(pr, {ActivationKind::sigmoid}, g, y)); return;
      case UnaryKind::square_root:
        back.set(0, multiply(pr, g, affine(pr, unary(pr, UnaryKind::reciprocal, y), 0.5)));
        return;
      case UnaryKind::reciprocal: back.set(0, affine(pr, multiply(pr, g, multiply(pr, y, y)), -1.0)); return;
      case UnaryKind::positive: return;
    }
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value cast(Program& program, Value x, DType dtype) {
  if (program.dtype(x) == dtype) {
    return x;
  }
  Node node;
  node.op = "cast";
  node.inputs = {x};
  node.run = [](Context& c, Views in, Views out) { duel::cast(c, in[0], out[0]); };
  node.derive = [](Backward& back) { back.set(0, back.gradient()); };  // cast back where it is accumulated
  return program.record(std::move(node), program.shape(x), dtype);
}

Value copy(Program& program, Value x) {
  return slice_rows(program, x, 0, program.shape(x)[0]);
}

Value fill(Program& program, const Shape& shape, DType dtype, double value) {
  Node node;
  node.op = "fill";
  node.parameters = value;
  node.constant = true;
  node.run = [value](Context& c, Views, Views out) { duel::fill(c, static_cast<float>(value), out[0]); };
  return program.record(std::move(node), shape, dtype);
}

// --- sums and their opposites ------------------------------------------------------------------------------------

Value reduce_sum(Program& program, const Reduce& p, Value x) {
  Node node;
  node.op = "reduce_sum";
  node.parameters = p;
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views out) { duel::reduce_sum(c, p, in[0], out[0]); };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    back.set(0, broadcast(pr, p, back.gradient(), pr.shape(back.input(0)), gradient_type(back, 0)));
  };
  return program.record(std::move(node), reduce_output(p.axes, program.shape(x)), DType::f32);
}

Value broadcast(Program& program, const Reduce& p, Value x, const Shape& shape, DType out) {
  Node node;
  node.op = "broadcast";
  node.parameters = p;
  node.inputs = {x};
  node.run = [p](Context& c, Views in, Views o) { duel::broadcast(c, p, in[0], o[0]); };
  node.derive = [p](Backward& back) { back.set(0, reduce_sum(back.program(), p, back.gradient())); };
  return program.record(std::move(node), shape, out);
}

Value mean(Program& program, Value x) {
  return reduce_sum(program, {Axes::all, 1.0F / static_cast<float>(program.shape(x).count())}, x);
}

// --- rows -----------------------------------------------------------------------------------------------------------

Value concat_rows(Program& program, Value a, Value b) {
  const int first = program.shape(a)[0], second = program.shape(b)[0];
  Node node;
  node.op = "concat_rows";
  node.inputs = {a, b};
  node.run = [](Context& c, Views in, Views out) { duel::concat_rows(c, in[0], in[1], out[0]); };
  node.derive = [first, second](Backward& back) {
    if (back.wants(0)) {
      back.set(0, slice_rows(back.program(), back.gradient(), 0, first));
    }
    if (back.wants(1)) {
      back.set(1, slice_rows(back.program(), back.gradient(), first, second));
    }
  };
  return program.record(std::move(node), program.shape(a).with_rows(first + second), program.dtype(a));
}

Value slice_rows(Program& program, Value x, int begin, int count) {
  const int rows = program.shape(x)[0];
  Node node;
  node.op = "slice_rows";
  node.parameters = begin;
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::slice_rows(c, begin, in[0], out[0]); };
  node.derive = [begin, rows](Backward& back) { back.set(0, pad_rows(back.program(), back.gradient(), begin, rows)); };
  const View y{nullptr, program.shape(x).with_rows(count), program.dtype(x)};
  node.bytes = 2 * bytes_of({y});
  return program.record(std::move(node), y.shape, y.dtype);
}

Value pad_rows(Program& program, Value x, int begin, int count) {
  const int rows = program.shape(x)[0];
  Node node;
  node.op = "pad_rows";
  node.parameters = begin;
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::pad_rows(c, begin, in[0], out[0]); };
  node.derive = [begin, rows](Backward& back) {
    back.set(0, slice_rows(back.program(), back.gradient(), begin, rows));
  };
  return program.record(std::move(node), program.shape(x).with_rows(count), program.dtype(x));
}

// --- sources --------------------------------------------------------------------------------------------------------

Value random_normal(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_normal";
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_normal(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

Value random_uniform(Program& program, const Random& p, Value step, const Shape& shape) {
  Node node;
  node.op = "random_uniform";
  node.constant = true;
  node.inputs = {step};
  node.run = [p](Context& c, Views in, Views out) { duel::random_uniform(c, p, in[0], out[0]); };
  return program.record(std::move(node), shape, DType::f32);
}

namespace {

// A batch of pictures converted to `dtype`; of the array that it comes from, only as many bytes are read.
Value record_batch(Program& program, Node node, Value pictures, Value step, int batch, DType dtype) {
  node.constant = true;
  node.inputs = {pictures, step};
  const View y{nullptr, program.shape(pictures).with_rows(batch), dtype};
  node.bytes = static_cast<double>(y.bytes()) + static_cast<double>(y.count());
  return program.record(std::move(node), y.shape, dtype);
}

}  // namespace

Value gather_pictures(Program& program, const Random& order, Value pictures, Value step, int batch, DType dtype) {
  Node node;
  node.op = "gather_pictures";
  node.run = [order](Context& c, Views in, Views out) { duel::gather_pictures(c, order, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), pictures, step, batch, dtype);
}

Value load_pictures(Program& program, const PictureSlot& slot, Value ring, Value step, int batch, DType dtype) {
  Node node;
  node.op = "load_pictures";
  node.run = [slot](Context& c, Views in, Views out) { duel::load_pictures(c, slot, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), ring, step, batch, dtype);
}

// --- effects --------------------------------------------------------------------------------------------------------

Value global_norm(Program& program, Value gradients) {
  Node node;
  node.op = "global_norm";
  node.inputs = {gradients};
  node.run = [](Context& c, Views in, Views out) { duel::global_norm(c, in[0], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

Value clip_scale(Program& program, double max_norm, Value norm) {
  Node node;
  node.op = "clip_scale";
  node.inputs = {norm};
  node.run = [max_norm](Context& c, Views in, Views out) { duel::clip_scale(c, max_norm, in[0], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

void adam(Program& program, const Adam& p, Value step, Value gradient_scale, Value gradients, const AdamState& state) {
  Node node;
  node.op = "adam";
  node.inputs = {step, gradient_scale, gradients};
  node.run = [p, state](Context& c, Views in, Views) { duel::adam(c, p, in[0], in[1], in[2], state); };
  node.state = {state.w, state.m, state.v, state.compute};
  node.flops = adam_cost(state).flops;
  node.bytes = adam_cost(state).bytes;
  program.record_effect(std::move(node));
}

void ema(Program& program, double decay, Value w, View average) {
  Node node;
  node.op = "ema";
  node.inputs = {w};
  node.run = [decay, average](Context& c, Views in, Views) { duel::ema(c, decay, in[0], average); };
  node.state = {average};
  node.bytes = bytes_of({program.described(w)}) + 2 * bytes_of({average});
  program.record_effect(std::move(node));
}

void batch_norm_track(Program& program, const BatchNormTrack& p, Value mean, Value rstd, const BatchNormState& state) {
  Node node;
  node.op = "batch_norm_track";
  node.inputs = {mean, rstd};
  node.run = [p, state](Context& c, Views in, Views) { duel::batch_norm_track(c, p, in[0], in[1], state); };
  node.state = {state.running_mean, state.running_variance};
  node.bytes = bytes_of({program.described(mean), program.described(rstd)}) +
               2 * bytes_of({state.running_mean, state.running_variance});
  program.record_effect(std::move(node));
}

void store_scalars(Program& program, const std::vector<int>& columns, std::vector<Value> scalars, Value step,
                   View ring) {
  Node node;
  node.op = "store_scalars";
  node.bytes = 2 * sizeof(float) * static_cast<double>(scalars.size()) + sizeof(std::int64_t);
  node.inputs = std::move(scalars);
  node.inputs.push_back(step);
  node.run = [columns, ring](Context& c, Views in, Views) {
    std::array<StoredScalar, kMostStoredScalars> list;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      list[i] = {columns[i], in[i]};
    }
    duel::store_scalars(c, std::span(list).first(columns.size()), in.back(), ring);
  };
  node.state = {ring};
  program.record_effect(std::move(node));
}

void advance_counter(Program& program, Value step) {
  Node node;
  node.op = "advance_counter";
  node.inputs = {step};
  node.run = [](Context& c, Views in, Views) { duel::advance_counter(c, in[0]); };
  node.state = {program.described(step)};
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

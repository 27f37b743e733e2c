#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

namespace duel {

namespace {

Attributes attributes_of(const BatchNorm& p) {
  return {{"epsilon", p.epsilon}, {"activation", to_string(p.activation)}};
}

}  // namespace

Node batch_norm_node(const BatchNorm& p, Value x, Value gamma, Value beta) {
  Node node;
  node.op = "batch_norm_forward";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {x, gamma, beta};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    batch_norm_forward(c, p, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  return node;
}

Node batch_norm_inference_node(const BatchNorm& p, Value x, Value gamma, Value beta, Value mean, Value variance) {
  Node node;
  node.op = "batch_norm_inference";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {x, gamma, beta, mean, variance};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    batch_norm_inference(c, p, in[0], in[1], in[2], in[3], in[4], out[0]);
  };
  node.onnx = [p] {
    OnnxForm form{OnnxForm::Layout::channels_first};
    add_activation(form, p.activation,
                   form.add("BatchNormalization",
                            {OnnxOperand::input(0), OnnxOperand::input(1), OnnxOperand::input(2), OnnxOperand::input(3),
                             OnnxOperand::input(4)},
                            {{"epsilon", p.epsilon}}));
    return form;
  };
  return node;
}

}  // namespace duel

namespace duel::ops {

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

void batch_norm_track(Program& program, const BatchNormTrack& p, Value mean, Value rstd,
                      const RunningStatistics& running) {
  Node node;
  node.op = "batch_norm_track";
  node.parameters = p;
  node.attributes = {{"rows", p.rows}, {"momentum", p.momentum}, {"epsilon", p.epsilon}};
  node.inputs = {mean, rstd, running.mean, running.variance};
  node.run = [p](Context& c, Views in, Views) { duel::batch_norm_track(c, p, in[0], in[1], {in[2], in[3]}); };
  node.writes = {running.mean, running.variance};
  node.bytes = bytes_of({program.described(mean), program.described(rstd)}) +
               2 * bytes_of({program.described(running.mean), program.described(running.variance)});
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

#include "kernels/group_norm.h"
#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

// h = (x - mean) rstd; S(.) sums over a group of M numbers, S_c(.) over a column. The rules of what is no dx are made
// of the small operators, in f32: nothing trains through them unless a gradient penalty reaches a network that
// normalises.

namespace {

// An array as [R,P,C], and sums over its groups and back.
class Groups {
public:
  Groups(Program& program, const GroupNorm& p, Value x)
      : program_(program),
        shape_(program.shape(x)),
        rows_(group_norm_statistics(p, shape_)[0]),
        columns_(shape_.back()),
        groups_(p.groups),
        places_(static_cast<int>(shape_.count() / rows_ / columns_)) {}

  double size() const { return static_cast<double>(places_) * columns_ / groups_; }  // M

  // The same numbers in f32.
  Value wide(Value x) const { return cast(program_, x, DType::f32); }

  // [R,G]
  Value sum(Value x, double scale = 1) const {
    const Value of_columns = reduce_sum(program_, {Axes::each_row_and_column, static_cast<float>(scale)},
                                        program_.reshape(x, {rows_, places_, columns_}));
    const Value of_groups = reduce_sum(program_, {Axes::each_row, 1.0F},
                                       program_.reshape(of_columns, {rows_ * groups_, columns_ / groups_}));
    return program_.reshape(of_groups, {rows_, groups_});
  }
  Value sum_of_products(Value a, Value b) const { return sum(multiply(program_, a, b)); }

  // The opposite.
  Value spread(Value of_groups, double scale = 1) const {
    const Value of_columns =
        broadcast(program_, {Axes::each_row, static_cast<float>(scale)}, program_.reshape(of_groups, {rows_ * groups_}),
                  {rows_ * groups_, columns_ / groups_}, DType::f32);
    const Value all =
        broadcast(program_, {Axes::each_row_and_column, 1.0F}, program_.reshape(of_columns, {rows_, columns_}),
                  {rows_, places_, columns_}, DType::f32);
    return program_.reshape(all, shape_);
  }

  // S_c, [C], and the opposite.
  Value sum_columns(Value x) const { return reduce_sum(program_, {Axes::each_column, 1.0F}, x); }
  Value spread_columns(Value columns) const {
    return broadcast(program_, {Axes::each_column, 1.0F}, columns, shape_, DType::f32);
  }

  Value centred(Value x, Value mean) const { return add(program_, wide(x), spread(mean, -1.0)); }
  Value normalized(Value x, Value mean, Value rstd) const { return multiply(program_, centred(x, mean), spread(rstd)); }

private:
  Program& program_;
  Shape shape_;
  int rows_, columns_, groups_, places_;
};

OnnxForm onnx_form(const GroupNorm& p, const Shape& x, bool is_affine) {
  const int columns = x.back();
  const auto constant = [](int count, float value) {
    return OnnxOperand::array(std::vector<float>(static_cast<std::size_t>(count), value), {count});
  };
  if (p.each_pixel && p.groups == 1) {
    OnnxForm form{OnnxForm::Layout::channels_last};
    const OnnxOperand gamma = is_affine ? OnnxOperand::input(1) : constant(columns, 1);
    const OnnxOperand beta = is_affine ? OnnxOperand::input(2) : constant(columns, 0);
    form.add("LayerNormalization", {OnnxOperand::input(0), gamma, beta}, {{"axis", -1}, {"epsilon", p.epsilon}});
    return form;
  }
  // Groups as the channels of an instance normalisation: of pixels apart, of [N,...,G,C/G].
  if (p.each_pixel || x.rank() != 4) {
    return {};
  }
  OnnxForm form{OnnxForm::Layout::channels_first};
  const OnnxOperand groups = form.add("Reshape", {OnnxOperand::input(0), OnnxOperand::list({0, p.groups, -1})});
  const OnnxOperand normalized = form.add(
      "InstanceNormalization", {groups, constant(p.groups, 1), constant(p.groups, 0)}, {{"epsilon", p.epsilon}});
  const OnnxOperand y = form.add("Reshape", {normalized, OnnxOperand::extents()});
  if (is_affine) {
    form.add("Add", {form.add("Mul", {y, OnnxOperand::channels(1)}), OnnxOperand::channels(2)});
  }
  return form;
}

Attributes attributes_of(const GroupNorm& p) {
  return {{"groups", p.groups}, {"each_pixel", p.each_pixel}, {"epsilon", p.epsilon}};
}

}  // namespace

GroupNormed group_norm(Program& program, const GroupNorm& p, Value x, Value gamma, Value beta) {
  const Shape shape = program.shape(x);
  Node node;
  node.op = "group_norm_forward";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {x, gamma, beta};
  node.in_place = true;
  node.run = [p](Context& c, Views in, Views out) {
    group_norm_forward(c, p, in[0], in[1], in[2], out[0], out[1], out[2]);
  };
  node.onnx = [p, shape, is_affine = gamma.exists()] { return onnx_form(p, shape, is_affine); };
  node.derive = [p](Backward& back) {
    Program& pr = back.program();
    const Value in = back.input(0), mean = back.output(1), rstd = back.output(2);
    const Groups groups(pr, p, in);
    Value dx;
    if (back.gradient(0).exists()) {
      const GroupNormGradients g =
          group_norm_backward(pr, p, cast(pr, back.gradient(0), pr.dtype(in)), in, back.input(1), mean, rstd);
      dx = g.dx;
      if (back.input(1).exists()) {
        back.set(1, g.dgamma);
        back.set(2, g.dbeta);
      }
    }
    if (back.wants(0) && (back.gradient(1).exists() || back.gradient(2).exists())) {
      // d mean / dx = 1 / M and d rstd / dx = -rstd^2 h / M
      Value more;
      if (back.gradient(1).exists()) {
        more = groups.spread(back.gradient(1), 1 / groups.size());
      }
      if (back.gradient(2).exists()) {
        const Value slope = multiply(pr, back.gradient(2), multiply(pr, rstd, rstd));
        more =
            sum_of(pr, more, multiply(pr, groups.spread(slope, -1 / groups.size()), groups.normalized(in, mean, rstd)));
      }
      dx = dx.exists() ? add(pr, groups.wide(dx), more) : more;
    }
    if (dx.exists()) {
      back.set(0, dx);
    }
  };
  const Shape statistics = group_norm_statistics(p, shape);
  const GroupNormed result{program.new_value(shape, program.dtype(x)), program.new_value(statistics, DType::f32),
                           program.new_value(statistics, DType::f32)};
  program.record(std::move(node), {result.y, result.mean, result.rstd});
  return result;
}

// With u, v, w the gradients with respect to dx, dgamma and dbeta, d = gamma dy, a = S(d), b = S(d h), A = S(u) and
// B = S(u h), the sum to be differentiated is
//   L = sum over groups of rstd Q + v S_c(dy h) + w S_c(dy),   Q = S(u d) - (a A + b B) / M
// so with e = rstd (u - (A + h B) / M), which is group_norm_backward of u without gamma:
//   dL/d dy = gamma e + v h + w;  dL/dgamma = S_c(dy e);  X = dL/dh = v dy - rstd (B d + b u) / M
//   dL/dx = X rstd;  dL/dmean = -S(X) rstd;  dL/drstd = Q + S(X (x - mean))
GroupNormGradients group_norm_backward(Program& program, const GroupNorm& p, Value dy, Value x, Value gamma, Value mean,
                                       Value rstd) {
  Node node;
  node.op = "group_norm_backward";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {dy, x, gamma, mean, rstd};
  node.in_place = true;
  const bool is_affine = gamma.exists();
  node.run = [p, is_affine](Context& c, Views in, Views out) {
    const View none;
    duel::group_norm_backward(c, p, in[0], in[1], in[2], in[3], in[4], out[0], is_affine ? out[1] : none,
                              is_affine ? out[2] : none);
  };
  node.derive = [p, is_affine](Backward& back) {
    Program& pr = back.program();
    const Value x_in = back.input(1), m = back.input(3), r = back.input(4);
    const Groups groups(pr, p, x_in);
    const Value u = back.gradient(0);
    const Value v = is_affine ? back.gradient(1) : Value{}, w = is_affine ? back.gradient(2) : Value{};
    const Value wide_dy = groups.wide(back.input(0)), h = groups.normalized(x_in, m, r);
    Value by_dy = w.exists() ? groups.spread_columns(w) : Value{}, X, Q;
    if (v.exists()) {
      const Value all = groups.spread_columns(v);
      by_dy = sum_of(pr, by_dy, multiply(pr, all, h));
      X = multiply(pr, all, wide_dy);
    }
    if (u.exists()) {
      const double share = 1 / groups.size();
      const Value gain = is_affine ? groups.spread_columns(back.input(2)) : Value{};
      const Value d = is_affine ? multiply(pr, gain, wide_dy) : wide_dy, wide_u = groups.wide(u);
      const Value e = groups.wide(group_norm_backward(pr, p, cast(pr, u, pr.dtype(x_in)), x_in, {}, m, r).dx);
      const Value a = groups.sum(d), b = groups.sum_of_products(d, h);
      const Value A = groups.sum(wide_u), B = groups.sum_of_products(wide_u, h);
      by_dy = sum_of(pr, by_dy, is_affine ? multiply(pr, gain, e) : e);
      if (is_affine) {
        back.set(2, groups.sum_columns(multiply(pr, wide_dy, e)));
      }
      const Value bent = add(pr, multiply(pr, groups.spread(multiply(pr, r, B), -share), d),
                             multiply(pr, groups.spread(multiply(pr, r, b), -share), wide_u));
      X = sum_of(pr, X, bent);
      const Value products = add(pr, multiply(pr, a, A), multiply(pr, b, B));
      Q = add(pr, groups.sum_of_products(wide_u, d), affine(pr, products, -share));
    }
    back.set(0, by_dy);
    if (!X.exists()) {
      return;  // of dbeta alone, which depends on dy alone
    }
    back.set(1, multiply(pr, X, groups.spread(r)));
    back.set(3, affine(pr, multiply(pr, groups.sum(X), r), -1.0));
    back.set(4, sum_of(pr, Q, groups.sum_of_products(X, groups.centred(x_in, m))));
  };
  GroupNormGradients result{program.new_value(program.shape(x), program.dtype(x)), {}, {}};
  std::vector<Value> outputs = {result.dx};
  if (is_affine) {
    result.dgamma = program.new_value(program.shape(gamma), DType::f32);
    result.dbeta = program.new_value(program.shape(gamma), DType::f32);
    outputs.insert(outputs.end(), {result.dgamma, result.dbeta});
  }
  program.record(std::move(node), std::move(outputs));
  return result;
}

}  // namespace duel::ops

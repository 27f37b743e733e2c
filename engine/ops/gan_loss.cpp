#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

namespace duel {

namespace {

Attributes attributes_of(const GanLoss& p) {
  return {{"kind", name_of(p.kind)}, {"side", name_of(p.side)}};
}

}  // namespace

Node gan_loss_node(const GanLoss& p, Value real, Value fake) {
  Node node;
  node.op = "gan_loss";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {needs_reals(p) ? real : Value{}, fake};
  node.run = [p](Context& c, Views in, Views out) {
    gan_loss(c, p, in[0], in[1], out[0], out.size() > 2 ? out[2] : View{}, out[1]);
  };
  return node;
}

Node gan_loss_of_both_node(const GanLoss& p, Value logits) {
  Node node;
  node.op = "gan_loss";
  node.parameters = p;
  node.attributes = attributes_of(p);
  node.inputs = {logits};
  node.run = [p](Context& c, Views in, Views out) {
    const auto half = [](View both, int index) {
      const View part{nullptr, both.shape.with_rows(both.shape[0] / 2), both.dtype};
      return View{both.as<std::byte>() + static_cast<std::size_t>(index) * part.bytes(), part.shape, part.dtype};
    };
    gan_loss(c, p, half(in[0], 0), half(in[0], 1), out[0], half(out[1], 0), half(out[1], 1));
  };
  return node;
}

}  // namespace duel

namespace duel::ops {

namespace {

// Whether all elements are known to be 1, as those of a loss's gradient with respect to itself are.
bool is_one(const Program& program, Value value) {
  const int producer = program.info(program.root(value)).producer;
  if (producer < 0) {
    return false;
  }
  const Node& node = program.nodes()[static_cast<std::size_t>(producer)];
  return node.op == "fill" && std::any_cast<double>(node.parameters) == 1.0;
}

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

}  // namespace duel::ops

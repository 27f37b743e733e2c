#include "engine/ops/gradients.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

// An operator of the operands as they are.
std::function<OnnxForm()> plain_form(const char* op, std::size_t operands) {
  return [op, operands] {
    OnnxForm form;
    std::vector<OnnxOperand> inputs;
    for (std::size_t i = 0; i < operands; ++i) {
      inputs.push_back(OnnxOperand::input(i));
    }
    form.add(op, std::move(inputs));
    return form;
  };
}

// nullptr: of several operators.
const char* onnx_name(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::softplus: return "Softplus";
    case UnaryKind::sigmoid: return "Sigmoid";
    case UnaryKind::square_root: return "Sqrt";
    case UnaryKind::reciprocal: return "Reciprocal";
    case UnaryKind::positive: return nullptr;
    case UnaryKind::exp: return "Exp";
    case UnaryKind::log: return "Log";
    case UnaryKind::abs: return "Abs";
    case UnaryKind::sign: return "Sign";
    case UnaryKind::sin: return "Sin";
    case UnaryKind::cos: return "Cos";
    case UnaryKind::rsqrt: return nullptr;
  }
  return nullptr;
}

}  // namespace

Value add(Program& program, Value a, Value b) {
  Node node = pointwise("add", {a, b}, [](Context& c, Views in, Views out) { duel::add(c, in[0], in[1], out[0]); });
  node.onnx = plain_form("Add", 2);
  node.derive = [](Backward& back) {
    back.set(0, back.gradient());
    back.set(1, back.gradient());
  };
  return program.record(std::move(node), program.shape(a), program.dtype(a));
}

Value multiply(Program& program, Value a, Value b) {
  Node node =
      pointwise("multiply", {a, b}, [](Context& c, Views in, Views out) { duel::multiply(c, in[0], in[1], out[0]); });
  node.onnx = plain_form("Mul", 2);
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
  node.parameters = p;
  node.attributes = {{"scale", p.scale}, {"shift", p.shift}};
  node.onnx = [p] {
    OnnxForm form;
    form.add("Add",
             {form.add("Mul", {OnnxOperand::input(0), OnnxOperand::number(p.scale)}), OnnxOperand::number(p.shift)});
    return form;
  };
  node.derive = [scale](Backward& back) { back.set(0, affine(back.program(), back.gradient(), scale)); };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value unary(Program& program, UnaryKind kind, Value x) {
  Node node = pointwise("unary", {x}, [kind](Context& c, Views in, Views out) { duel::unary(c, kind, in[0], out[0]); });
  node.op = name_of(kind);
  if (const char* name = onnx_name(kind)) {
    node.onnx = plain_form(name, 1);
  }
  if (kind == UnaryKind::rsqrt) {
    node.onnx = [] {
      OnnxForm form;
      form.add("Reciprocal", {form.add("Sqrt", {OnnxOperand::input(0)})});
      return form;
    };
  }
  node.constant = kind == UnaryKind::positive || kind == UnaryKind::sign;
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
      case UnaryKind::positive:
      case UnaryKind::sign: return;
      case UnaryKind::exp: back.set(0, multiply(pr, g, y)); return;
      case UnaryKind::log: back.set(0, multiply(pr, g, unary(pr, UnaryKind::reciprocal, back.input(0)))); return;
      case UnaryKind::abs: back.set(0, multiply(pr, g, unary(pr, UnaryKind::sign, back.input(0)))); return;
      case UnaryKind::sin: back.set(0, multiply(pr, g, unary(pr, UnaryKind::cos, back.input(0)))); return;
      case UnaryKind::cos:
        back.set(0, affine(pr, multiply(pr, g, unary(pr, UnaryKind::sin, back.input(0))), -1.0));
        return;
      case UnaryKind::rsqrt:
        back.set(0, affine(pr, multiply(pr, g, multiply(pr, y, multiply(pr, y, y))), -0.5));
        return;
    }
  };
  return program.record(std::move(node), program.shape(x), program.dtype(x));
}

Value clamp(Program& program, Value x, double low, double high) {
  const Clamp p{static_cast<float>(low), static_cast<float>(high)};
  Node node = pointwise("clamp", {x}, [p](Context& c, Views in, Views out) { duel::clamp(c, p, in[0], out[0]); });
  node.parameters = p;
  node.attributes = {{"low", p.low}, {"high", p.high}};
  node.onnx = [p] {
    OnnxForm form;
    form.add("Clip", {OnnxOperand::input(0), OnnxOperand::number(p.low), OnnxOperand::number(p.high)});
    return form;
  };
  node.derive = [low, high](Backward& back) {
    Program& pr = back.program();
    const Value in = back.input(0);
    const Value below = unary(pr, UnaryKind::positive, affine(pr, in, -1.0, low));
    const Value above = unary(pr, UnaryKind::positive, affine(pr, in, 1.0, -high));
    back.set(0, multiply(pr, back.gradient(), affine(pr, add(pr, below, above), -1.0, 1.0)));
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

Value stop_gradient(Program& program, Value x) {
  const Value y = copy(program, x);
  program.nodes().back().constant = true;
  return y;
}

Value fill(Program& program, const Shape& shape, DType dtype, double value) {
  Node node;
  node.op = "fill";
  node.parameters = value;
  node.attributes = {{"value", value}};
  node.constant = true;
  node.run = [value](Context& c, Views, Views out) { duel::fill(c, static_cast<float>(value), out[0]); };
  return program.record(std::move(node), shape, dtype);
}

}  // namespace duel::ops

#include "kernels/elementwise.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <bit>
#include <cstdint>

namespace duel {

DUEL_BACKENDS(add, View a, View b, View y);
DUEL_BACKENDS(multiply, View a, View b, View y);
DUEL_BACKENDS(affine, const Affine&, View x, View y);
DUEL_BACKENDS(unary, UnaryKind, View x, View y);
DUEL_BACKENDS(clamp, const Clamp&, View x, View y);
DUEL_BACKENDS(fill, float value, View y);
DUEL_BACKENDS(cast, View x, View y);

namespace {

void check_alike(const char* op, View a, View b, View y) {
  check_float(op, "a", a);
  check_like(op, "b", b, "a", a);
  check_like(op, "y", y, "a", a);
}

}  // namespace

void add(Context& context, View a, View b, View y) {
  check_alike("add", a, b, y);
  context.run([&](auto& backend) { add(backend, a, b, y); });
}

void multiply(Context& context, View a, View b, View y) {
  check_alike("multiply", a, b, y);
  context.run([&](auto& backend) { multiply(backend, a, b, y); });
}

void affine(Context& context, const Affine& p, View x, View y) {
  check_float("affine", "x", x);
  check_like("affine", "y", y, "x", x);
  context.run([&](auto& backend) { affine(backend, p, x, y); });
}

void unary(Context& context, UnaryKind kind, View x, View y) {
  check_float("unary", "x", x);
  check_like("unary", "y", y, "x", x);
  context.run([&](auto& backend) { unary(backend, kind, x, y); });
}

void clamp(Context& context, const Clamp& p, View x, View y) {
  check_float("clamp", "x", x);
  check_like("clamp", "y", y, "x", x);
  check(p.low <= p.high, "clamp: from {} to {}, but the lower end must come first", p.low, p.high);
  context.run([&](auto& backend) { clamp(backend, p, x, y); });
}

void fill(Context& context, float value, View y) {
  if (is_present(y) && y.dtype == DType::i32) {  // as bits, which nothing computes with
    value = std::bit_cast<float>(static_cast<std::int32_t>(value));
    y.dtype = DType::f32;
  }
  check_float("fill", "y", y);
  context.run([&](auto& backend) { fill(backend, value, y); });
}

void cast(Context& context, View x, View y) {
  check_float("cast", "x", x);
  check_float("cast", "y", y);
  check(x.shape == y.shape, "cast: y is {}, but x is {}; both must have one shape", y, x);
  context.run([&](auto& backend) { cast(backend, x, y); });
}

const char* name_of(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::softplus: return "softplus";
    case UnaryKind::sigmoid: return "sigmoid";
    case UnaryKind::square_root: return "square_root";
    case UnaryKind::reciprocal: return "reciprocal";
    case UnaryKind::positive: return "positive";
    case UnaryKind::exp: return "exp";
    case UnaryKind::log: return "log";
    case UnaryKind::abs: return "abs";
    case UnaryKind::sign: return "sign";
    case UnaryKind::sin: return "sin";
    case UnaryKind::cos: return "cos";
    case UnaryKind::rsqrt: return "rsqrt";
  }
  throw Error(Error::Kind::internal, "name_of: unknown unary function");
}

}  // namespace duel

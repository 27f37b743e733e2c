// Cases of kernels/elementwise.h.
#include "kernels/elementwise.h"

#include "tests/reference/elementwise.h"
#include "tests/support/op_case.h"

#include <cmath>
#include <limits>

namespace duel::test::elementwise_cases {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string describe(const Shape& shape, DType dtype) {
  return fmt::format("{}_{}", name_of_extents(shape), name_of(dtype));
}

OpCase add_case(const Shape& shape, DType dtype) {
  return {.op = "add",
          .name = describe(shape, dtype),
          .inputs = {{"a", shape, dtype, normal()}, {"b", shape, dtype, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0, 1}}},
          .run = [](Context& context, Views in, Views out) { add(context, in[0], in[1], out[0]); },
          .reference = [](const Arrays& in, Arrays& out) { out[0] = reference::add(in[0], in[1]); }};
}

OpCase multiply_case(const Shape& shape, DType dtype) {
  return {.op = "multiply",
          .name = describe(shape, dtype),
          .inputs = {{"a", shape, dtype, normal()}, {"b", shape, dtype, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0, 1}}},
          .run = [](Context& context, Views in, Views out) { multiply(context, in[0], in[1], out[0]); },
          .reference = [](const Arrays& in, Arrays& out) { out[0] = reference::multiply(in[0], in[1]); }};
}

// Both operands are one array, and the result too where it is run in place.
OpCase square_case(const Shape& shape, DType dtype) {
  return {.op = "multiply",
          .name = "square_" + describe(shape, dtype),
          .inputs = {{"x", shape, dtype, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
          .run = [](Context& context, Views in, Views out) { multiply(context, in[0], in[0], out[0]); },
          .reference = [](const Arrays& in, Arrays& out) { out[0] = reference::multiply(in[0], in[0]); }};
}

OpCase affine_case(const Shape& shape, DType dtype, const std::string& name, const Affine& p) {
  return {.op = "affine",
          .name = name + "_" + describe(shape, dtype),
          .inputs = {{"x", shape, dtype, normal()}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
          .run = [=](Context& context, Views in, Views out) { affine(context, p, in[0], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::affine(static_cast<double>(p.scale), static_cast<double>(p.shift), in[0]);
              },
          .terms = 2};
}

// Arguments as the function can meet them, the awkward ones first.
Fill arguments_of(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::softplus:
    case UnaryKind::sigmoid: return with_head({0, -0.0, 15, -15, 30, -30, 88, -88, 104, -104, 1e4, -1e4}, normal(3));
    case UnaryKind::square_root: return with_head({0, 1, 4, 1e-30, 1e30}, uniform(0, 10));
    case UnaryKind::reciprocal: return with_head({1, -1, 0.5, 3, -1e4, 1e-4, 0, kInfinity}, uniform(0.1, 10));
    case UnaryKind::positive: return with_head({0, -0.0, 1e-30, -1e-30, kInfinity, -kInfinity}, normal());
    case UnaryKind::exp: return with_head({0, -0.0, 1, -1, 88, -80, -1e4, -kInfinity, kInfinity}, normal(3));
    case UnaryKind::log: return with_head({1, 0, 2, 0.5, 1e-30, 1e30, kInfinity}, uniform(0.01, 10));
    case UnaryKind::abs:
    case UnaryKind::sign: return with_head({0, -0.0, 1e-30, -1e-30, kInfinity, -kInfinity}, normal());
    case UnaryKind::sin:
    case UnaryKind::cos: return with_head({0, -0.0, 1.5707964, 3.1415927, -3.1415927, 100, -1e4, 3e5}, normal(3));
    case UnaryKind::rsqrt: return with_head({1, 4, 0, 1e-30, 1e30, kInfinity}, uniform(0.01, 10));
  }
  return {};
}

OpCase unary_case(const Shape& shape, DType dtype, UnaryKind kind) {
  return {.op = "unary",
          .name = fmt::format("{}_{}", name_of(kind), describe(shape, dtype)),
          .inputs = {{"x", shape, dtype, arguments_of(kind)}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
          .run = [=](Context& context, Views in, Views out) { unary(context, kind, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::unary(kind, in[0]); },
          .terms = kind == UnaryKind::positive || kind == UnaryKind::abs || kind == UnaryKind::sign ? 0 : 1};
}

OpCase clamp_case(const Shape& shape, DType dtype, const Clamp& p) {
  return {.op = "clamp",
          .name = describe(shape, dtype),
          .inputs = {{"x", shape, dtype, with_head({0, -1, 1, 0.25, kInfinity, -kInfinity}, normal())}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .may_be = {0}}},
          .run = [=](Context& context, Views in, Views out) { clamp(context, p, in[0], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::clamp(static_cast<double>(p.low), static_cast<double>(p.high), in[0]);
              },
          .terms = 0};
}

OpCase fill_case(const Shape& shape, DType dtype, float value, const std::string& name) {
  return {
      .op = "fill",
      .name = name + "_" + describe(shape, dtype),
      .outputs = {{.name = "y", .shape = shape, .dtype = dtype}},
      .run = [=](Context& context, Views, Views out) { fill(context, value, out[0]); },
      .reference = [=](const Arrays&, Arrays& out) { out[0] = reference::fill(rounded(value, dtype), shape.count()); },
      .terms = 0};
}

// What lies in the middle between two neighbours in bf16, a little beside it, too large for it, and not a number.
const Array kAwkwardToRound = {1 + 0x1p-8,
                               1 + 0x3p-8,
                               1 + 0x1p-8 + 0x1p-23,
                               1 + 0x1p-8 - 0x1p-23,
                               -1 - 0x1p-8,
                               -1 - 0x3p-8,
                               0.1,
                               3.4028234e38,
                               -3.4028234e38,
                               kInfinity,
                               -kInfinity,
                               NAN,
                               0,
                               -0.0,
                               2 - 0x1p-23,
                               1e-38};

OpCase cast_case(const Shape& shape, DType from, DType to) {
  return {.op = "cast",
          .name = fmt::format("{}_{}", describe(shape, from), name_of(to)),
          .inputs = {{"x", shape, from, with_head(kAwkwardToRound, normal())}},
          .outputs = {{.name = "y", .shape = shape, .dtype = to}},
          .run = [](Context& context, Views in, Views out) { cast(context, in[0], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                for (std::size_t i = 0; i < in[0].size(); ++i) {
                  out[0][i] = rounded(in[0][i], to);
                }
              },
          .terms = 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape : ragged_shapes()) {
      cases.push_back(add_case(shape, dtype));
      cases.push_back(multiply_case(shape, dtype));
      cases.push_back(square_case(shape, dtype));
      cases.push_back(affine_case(shape, dtype, "both", {-1.7F, 0.3F}));
      cases.push_back(fill_case(shape, dtype, -1.7F, "number"));
      cases.push_back(clamp_case(shape, dtype, {-1, 1}));
      for (const UnaryKind kind : kUnaryKinds) {
        cases.push_back(unary_case(shape, dtype, kind));
      }
      for (const DType to : {DType::f32, DType::bf16}) {
        cases.push_back(cast_case(shape, dtype, to));
      }
    }
    cases.push_back(affine_case({5, 33}, dtype, "negate", {-1.0F, 0.0F}));
    cases.push_back(affine_case({5, 33}, dtype, "shift", {1.0F, 100.0F}));
    cases.back().outputs[0].magnitude = 100;
    cases.push_back(affine_case({5, 33}, dtype, "constant", {0.0F, 0.25F}));

    cases.push_back(fill_case({5, 33}, dtype, 0.0F, "zero"));
    cases.push_back(fill_case({5, 33}, dtype, std::numeric_limits<float>::infinity(), "infinity"));

    const Shape shape{1000};
    for (const OpCase& c :
         {add_case(shape, dtype), affine_case(shape, dtype, "both", {-1.7F, 0.3F}), fill_case(shape, dtype, 3, "three"),
          unary_case(shape, dtype, UnaryKind::softplus), cast_case(shape, dtype, DType::bf16)}) {
      cases.push_back(unaligned(c));
    }

    const Shape classic{128, 28, 28, 64};  // the largest activations of the preset `classic`
    for (OpCase c :
         {add_case(classic, dtype), multiply_case(classic, dtype), affine_case(classic, dtype, "both", {2.0F, -1.0F}),
          unary_case(classic, dtype, UnaryKind::softplus), cast_case(classic, dtype, DType::bf16)}) {
      c.name = "classic_" + c.name;
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  cases.push_back(fill_case({5, 33}, DType::i32, 0.0F, "zero"));
  cases.push_back(fill_case({7}, DType::i32, -3.0F, "negative"));
  cases.push_back(fill_case({33}, DType::i32, 16777215.0F, "largest"));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::elementwise_cases

// Cases of kernels/group_norm.h.
#include "kernels/group_norm.h"

#include "tests/reference/group_norm.h"
#include "tests/support/op_case.h"

namespace duel::test::group_norm_cases {

namespace {

std::string describe(const GroupNorm& p, const Shape& shape, DType dtype, bool affine) {
  return fmt::format("{}{}_of_{}_{}_{}", p.each_pixel ? "each_pixel_" : "", p.groups, name_of_extents(shape),
                     affine ? "affine" : "plain", name_of(dtype));
}

std::int64_t group_size(const GroupNorm& p, const Shape& x) {
  return x.count() / group_norm_statistics(p, x).count();
}

OpCase forward_case(const GroupNorm& p, const Shape& shape, DType dtype, bool affine, const Fill& fill = normal(),
                    const std::string& prefix = "") {
  const Shape columns{shape.back()}, statistics = group_norm_statistics(p, shape);
  OpCase c{.op = "group_norm_forward",
           .name = prefix + describe(p, shape, dtype, affine),
           .inputs = {{"x", shape, dtype, fill}},
           .outputs = {{.name = "y", .shape = shape, .dtype = dtype, .magnitude = 4, .may_be = {0}},
                       {.name = "mean", .shape = statistics},
                       {.name = "rstd", .shape = statistics, .magnitude = 2}},
           .run =
               [=](Context& context, Views in, Views out) {
                 const View none;
                 group_norm_forward(context, p, in[0], affine ? in[1] : none, affine ? in[2] : none, out[0], out[1],
                                    out[2]);
               },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 reference::group_norm_forward(p, shape, in[0], affine ? in[1] : Array(), affine ? in[2] : Array(),
                                               out[0], out[1], out[2]);
               },
           // At least 8: rstd of nearly equal numbers rests on their rounded mean.
           .terms = std::max<std::int64_t>(8, group_size(p, shape))};
  if (affine) {
    c.inputs.push_back({"gamma", columns, DType::f32, uniform(-1.5, 1.5)});
    c.inputs.push_back({"beta", columns, DType::f32, normal()});
  }
  return c;
}

OpCase backward_case(const GroupNorm& p, const Shape& shape, DType dtype, bool affine) {
  const Shape columns{shape.back()}, statistics = group_norm_statistics(p, shape);
  OpCase c{.op = "group_norm_backward",
           .name = describe(p, shape, dtype, affine),
           .inputs = {{"dy", shape, dtype, normal()},
                      {"x", shape, dtype, normal()},
                      {"mean", statistics, DType::f32, normal()},
                      {"rstd", statistics, DType::f32, uniform(0.5, 2)}},
           .outputs = {{.name = "dx", .shape = shape, .dtype = dtype, .magnitude = 8, .may_be = {0, 1}}},
           .run =
               [=](Context& context, Views in, Views out) {
                 const View none;
                 group_norm_backward(context, p, in[0], in[1], affine ? in[4] : none, in[2], in[3], out[0],
                                     affine ? out[1] : none, affine ? out[2] : none);
               },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 auto g =
                     reference::group_norm_backward(p, shape, in[0], in[1], affine ? in[4] : Array(), in[2], in[3]);
                 out[0] = g.dx;
                 if (affine) {
                   out[1] = g.dgamma;
                   out[2] = g.dbeta;
                 }
               },
           .terms = std::max(group_size(p, shape), shape.outer_count())};
  if (affine) {
    c.inputs.push_back({"gamma", columns, DType::f32, uniform(-1.5, 1.5)});
    c.outputs.push_back({.name = "dgamma", .shape = columns, .magnitude = 4});
    c.outputs.push_back({.name = "dbeta", .shape = columns});
  }
  return c;
}

std::vector<OpCase> make_cases() {
  struct Problem {
    GroupNorm p;
    Shape x;
  };
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    bool affine = true;
    for (const auto& [p, x] : {Problem{{1, true}, {1, 1}},  // one number, which is its own mean
                               {{1, true}, {33, 7}},
                               {{1, true}, {2, 5, 3, 16}},
                               {{1, true}, {7, 32}},
                               {{1, true}, {3, 64}},
                               {{1, true}, {2, 3, 48}},
                               {{1, true}, {3, 600}},
                               {{3, true}, {5, 7, 33}},
                               {{1, false}, {5, 33}},  // of one place
                               {{3, false}, {3, 5, 7, 3}},
                               {{16, false}, {1, 9, 11, 16}},
                               {{8, false}, {2, 5, 7, 24}},
                               {{1, false}, {2, 3, 5, 130}},
                               {{72, false}, {2, 33, 1, 72}},
                               {{5, false}, {1, 1000, 5}}}) {
      cases.push_back(forward_case(p, x, dtype, affine));
      affine = !affine;
      cases.push_back(backward_case(p, x, dtype, affine));
    }
    for (const GroupNorm& p : {GroupNorm{1, true}, GroupNorm{4, false}}) {
      cases.push_back(unaligned(forward_case(p, {3, 5, 16}, dtype, true)));
      cases.push_back(unaligned(backward_case(p, {3, 5, 16}, dtype, true)));
    }
    // The first level of a restoration network, and the last of a translation network.
    const Shape level{16, 64, 64, 16}, last{4, 64, 64, 64};
    for (OpCase c : {forward_case({1, true}, level, dtype, true), backward_case({1, true}, level, dtype, true),
                     forward_case({1, true}, last, dtype, true), backward_case({1, true}, last, dtype, true),
                     forward_case({64, false}, last, dtype, false), backward_case({64, false}, last, dtype, false)}) {
      c.tags = {"perf"};
      cases.push_back(std::move(c));
    }
  }
  // Groups of equal numbers have no variance: y is beta. And a mean of a thousand deviations.
  const auto far = [](std::mt19937_64& generator, Array& array) {
    normal()(generator, array);
    for (double& value : array) {
      value += 1000;
    }
  };
  for (const GroupNorm& p : {GroupNorm{1, true}, GroupNorm{5, false}}) {
    cases.push_back(forward_case(p, {2, 100, 10}, DType::f32, true, values({12345.678}), "equal_"));
    cases.back().outputs[1].magnitude = 12346;
    cases.push_back(forward_case(p, {2, 100, 10}, DType::f32, true, far, "far_"));
    cases.back().outputs[0].magnitude = 40;
    cases.back().outputs[1].magnitude = 1000;
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::group_norm_cases

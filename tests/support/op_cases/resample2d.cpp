// Cases of kernels/resample2d.h.
#include "kernels/resample2d.h"

#include "tests/reference/resample2d.h"
#include "tests/support/op_case.h"

namespace duel::test::resample2d_cases {

namespace {

OpCase make_case(const std::string& filter, const Resample2d& p, const Shape& x, const Shape& y, DType dtype) {
  return {.op = "resample2d",
          .name = fmt::format("{}_{}_to_{}x{}_{}", filter, name_of_extents(x), y[1], y[2], name_of(dtype)),
          .inputs = {{"x", x, dtype, normal()}},
          .outputs = {{.name = "y", .shape = y, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { resample2d(context, p, in[0], out[0]); },
          .prepare = [=](Context& context, Views in, Views out) { prepare_resample2d(context, p, in[0], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::resample2d(p, x, y, in[0]); },
          .terms = std::int64_t{p.count} * p.count,
          .cost = [=](Views in, Views out) { return resample2d_cost(p, in[0], out[0]); }};
}

std::vector<OpCase> make_cases() {
  struct Filter {
    std::string name;
    Resample2d p;
  };
  const Filter filters[] = {{"nearest_up", nearest_up()},
                            {"area_down", area_down()},
                            {"bilinear_up", bilinear_up()},
                            {"bilinear_down", bilinear_down()},
                            {"bicubic_down", bicubic_down()},
                            {"bicubic_down_adjoint", adjoint(bicubic_down())},
                            {"up3_down2", {3, 2, 1, {0.5F, -1, 2, 0.25F, 3}}},
                            {"blur", {1, 1, 1, {0.25F, 0.5F, 0.25F}}},
                            {"none", {}}};
  const Shape shapes[] = {{1, 1, 1, 1}, {3, 5, 7, 3}, {5, 7, 5, 16}, {2, 33, 3, 1}, {3, 4, 8, 33}};
  std::vector<OpCase> cases;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const auto& [name, p] : filters) {
      for (const Shape& x : shapes) {
        const Shape y{x[0], (x[1] * p.up + p.down - 1) / p.down, (x[2] * p.up + p.down - 1) / p.down, x[3]};
        cases.push_back(make_case(name, p, x, y, dtype));
      }
    }
    cases.push_back(
        make_case("bilinear_down", bilinear_down(), {2, 7, 9, 5}, {2, 3, 6, 5}, dtype));  // extents of choice
    cases.push_back(unaligned(make_case("bilinear_up", bilinear_up(), {2, 5, 3, 16}, {2, 10, 6, 16}, dtype)));
    for (OpCase c : {make_case("bilinear_up", bilinear_up(), {64, 32, 32, 32}, {64, 64, 64, 32}, dtype),
                     make_case("bilinear_down", bilinear_down(), {64, 64, 64, 16}, {64, 32, 32, 16}, dtype)}) {
      c.name = "residual_" + c.name;
      c.tags = {"perf"};
      cases.push_back(c);
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::resample2d_cases

// Cases of kernels/scale_scheduled.h.
#include "kernels/scale_scheduled.h"

#include "tests/reference/scale_scheduled.h"
#include "tests/support/op_case.h"

namespace duel::test::scale_scheduled_cases {

namespace {

OpCase scale_case(const std::string& name, const Schedule& scale, std::int64_t step, const Shape& shape) {
  return {
      .op = "scale_scheduled",
      .name = fmt::format("{}_step{}_{}", name, step, name_of_extents(shape)),
      .inputs = {{"x", shape, DType::f32, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
      .outputs = {{.name = "y", .shape = shape, .may_be = {0}}},
      .run = [=](Context& context, Views in, Views out) { scale_scheduled(context, scale, in[1], in[0], out[0]); },
      .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference::scale_scheduled(scale, in[1][0], in[0]); }};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  for (const Shape& shape : ragged_shapes()) {
    cases.push_back(scale_case("constant", 0.25, 7, shape));
  }
  const std::int64_t far = std::int64_t{5} << 32;
  for (const std::int64_t step : {std::int64_t{0}, std::int64_t{9}, std::int64_t{10}, std::int64_t{333},
                                  std::int64_t{1000}, std::int64_t{1001}, far}) {
    cases.push_back(scale_case("linear", Schedule::linear(-1, 3, 10, 1000), step, {1}));
    cases.push_back(scale_case("cosine", Schedule::cosine(5e-4, 1e-4, 10, 1000), step, {1}));
    cases.push_back(scale_case("exponential", Schedule::exponential(0.5, 0.1, 0, 1000), step, {1}));
    cases.push_back(scale_case("burn_in", Schedule(0.998).with_burn_in(10), step, {1}));
    cases.push_back(scale_case("warm_up", Schedule::linear(2, 1, 10, 1000).with_warm_up(500), step, {5, 33}));
  }
  cases.push_back(unaligned(scale_case("constant", 0.25, 7, {1000})));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::scale_scheduled_cases

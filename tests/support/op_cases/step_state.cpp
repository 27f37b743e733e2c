// Cases of kernels/step_state.h.
#include "kernels/step_state.h"

#include "tests/reference/step_state.h"
#include "tests/support/op_case.h"

namespace duel::test::step_state_cases {

namespace {

// `count` columns from `column` on, and from the first again behind the last, in this order.
OpCase store_case(int rows, int columns, int column, std::int64_t step, int count = 1) {
  OpCase c{.op = "store_scalars",
           .name = fmt::format("ring{}x{}_columns{}_from{}_step{}", rows, columns, count, column, step),
           .outputs = {{.name = "ring", .shape = {rows, columns}, .initial = normal()}},
           .run =
               [=](Context& context, Views in, Views out) {
                 std::vector<StoredScalar> scalars;
                 for (int i = 0; i < count; ++i) {
                   scalars.push_back({(column + i) % columns, in[static_cast<std::size_t>(i)]});
                 }
                 store_scalars(context, scalars, in.back(), out[0]);
               },
           .reference =
               [=](const Arrays& in, Arrays& out) {
                 for (int i = 0; i < count; ++i) {
                   reference::store_scalar((column + i) % columns, in[static_cast<std::size_t>(i)][0],
                                           static_cast<std::int64_t>(in.back()[0]), rows, columns, out[0]);
                 }
               },
           .terms = 0};
  for (int i = 0; i < count; ++i) {
    c.inputs.push_back({fmt::format("scalar{}", i), {1}, DType::f32, normal()});
  }
  c.inputs.push_back({"step", {1}, DType::i64, values({static_cast<double>(step)})});
  return c;
}

OpCase advance_case(std::int64_t step) {
  return {
      .op = "advance_counter",
      .name = fmt::format("from{}", step),
      .inputs = {},
      .outputs = {{.name = "step", .shape = {1}, .dtype = DType::i64, .initial = values({static_cast<double>(step)})}},
      .run = [](Context& context, Views, Views out) { advance_counter(context, out[0]); },
      .reference = [](const Arrays&, Arrays& out) { reference::advance_counter(out[0]); },
      .terms = 0};
}

std::vector<OpCase> make_cases() {
  const std::int64_t limit = std::int64_t{1} << 32;
  std::vector<OpCase> cases;
  for (const std::int64_t step :
       {std::int64_t{0}, std::int64_t{6}, std::int64_t{7}, std::int64_t{1000}, limit - 1, limit, limit * 5 + 3}) {
    cases.push_back(store_case(7, 5, static_cast<int>(step % 5), step));
    cases.push_back(advance_case(step));
  }
  cases.push_back(store_case(1, 1, 0, 3));
  cases.push_back(store_case(33, 1, 0, 40));
  cases.push_back(store_case(3, 16, 15, 5));
  cases.push_back(store_case(7, 5, 3, 12, 4));
  cases.push_back(store_case(3, 16, 1, 7, 16));
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::step_state_cases

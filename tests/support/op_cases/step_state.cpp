// Cases of kernels/step_state.h.
#include "kernels/step_state.h"

#include "tests/reference/step_state.h"
#include "tests/support/op_case.h"

namespace duel::test {

namespace {

OpCase store_case(int rows, int columns, int column, std::int64_t step) {
  return {
      .op = "store_scalar",
      .name = fmt::format("ring{}x{}_column{}_step{}", rows, columns, column, step),
      .inputs = {{"scalar", {1}, DType::f32, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
      .outputs = {{.name = "ring", .shape = {rows, columns}, .initial = normal()}},
      .run = [=](Context& context, Views in, Views out) { store_scalar(context, column, in[0], in[1], out[0]); },
      .reference =
          [=](const Arrays& in, Arrays& out) {
            reference::store_scalar(column, in[0][0], static_cast<std::int64_t>(in[1][0]), rows, columns, out[0]);
          },
      .terms = 0};
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
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test

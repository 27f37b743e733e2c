// What is done to elements, one by one or added up: wrong calls of each.
#include "kernels/elementwise.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/scale_scheduled.h"
#include "kernels/small_program.h"
#include "tests/support/wrong_calls.h"

#include <limits>

namespace duel::test::refusals_elements {

namespace {

template <class Op>
std::vector<WrongCall> wrong_pairs(Op op) {
  const auto call = [op](View a, View b, View y) { return [=](Context& context) { op(context, a, b, y); }; };
  return {{"b of another shape", call(f32({3, 5}), f32({5}), f32({3, 5})), {"[3,5]", "[5]"}},
          {"y of another shape", call(f32({3, 5}), f32({3, 5}), f32({5, 3})), {"[3,5]", "[5,3]"}},
          {"b of another type", call(f32({3, 5}), bf16({3, 5}), f32({3, 5})), {"f32[3,5]", "bf16[3,5]"}},
          {"y of another type", call(bf16({3, 5}), bf16({3, 5}), f32({3, 5})), {"f32[3,5]", "bf16[3,5]"}},
          {"all of integers", call(i64({3, 5}), i64({3, 5}), i64({3, 5})), {"i64[3,5]"}},
          {"no a", call(kNone, f32({3}), f32({3})), {}},
          {"nothing", call(kNone, kNone, kNone), {}}};
}

std::vector<WrongCall> wrong_fills() {
  const auto call = [](View y) { return [=](Context& context) { fill(context, 1.0F, y); }; };
  return {{"y of integers", call(i64({3, 5})), {"i64[3,5]"}}, {"no y", call(kNone), {}}};
}

template <class Op>
std::vector<WrongCall> wrong_draws(Op op) {
  const auto call = [op](View step, View y) { return [=](Context& context) { op(context, Random{}, step, y); }; };
  return {{"y of integers", call(i64({1}), i64({3})), {"i64[3]"}},
          {"more than there are counters", call(i64({1}), f32({1 << 20, 1 << 15})), {"[1048576,32768]"}},
          {"step of floats", call(f32({1}), f32({3})), {"f32[1]"}},
          {"two steps", call(i64({2}), f32({3})), {"i64[2]"}},
          {"no step", call(kNone, f32({3})), {}},
          {"no y", call(i64({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_reduces() {
  const auto call = [](Axes axes, View x, View y) {
    return [=](Context& context) { reduce_sum(context, {axes, 1.0F}, x, y); };
  };
  return {{"all into rows", call(Axes::all, f32({3, 5}), f32({3})), {"[3]", "[1]"}},
          {"rows into columns", call(Axes::each_row, f32({3, 5}), f32({5})), {"[5]", "[3]"}},
          {"columns into rows", call(Axes::each_column, f32({3, 5}), f32({3})), {"[3]", "[5]"}},
          {"y of rank 2", call(Axes::each_row, f32({3, 5}), f32({3, 1})), {"[3,1]", "[3]"}},
          {"pictures into rows", call(Axes::each_row_and_column, f32({3, 2, 2, 5}), f32({3})), {"[3]", "[3,5]"}},
          {"no rows and columns", call(Axes::each_row_and_column, f32({15}), f32({15})), {"[15]"}},
          {"y in bf16", call(Axes::all, bf16({3, 5}), bf16({1})), {"bf16[1]"}},
          {"x of integers", call(Axes::all, u8({3, 5}), f32({1})), {"u8[3,5]"}},
          {"no x", call(Axes::all, kNone, f32({1})), {}},
          {"no y", call(Axes::all, f32({3, 5}), kNone), {"[1]"}}};
}

std::vector<WrongCall> wrong_broadcasts() {
  const auto call = [](Axes axes, View x, View y) {
    return [=](Context& context) { broadcast(context, {axes, 1.0F}, x, y); };
  };
  return {{"rows over all", call(Axes::all, f32({3}), f32({3, 5})), {"[3]", "[1]"}},
          {"columns over rows", call(Axes::each_row, f32({5}), f32({3, 5})), {"[5]", "[3]"}},
          {"rows over columns", call(Axes::each_column, f32({3}), f32({3, 5})), {"[3]", "[5]"}},
          {"columns over pictures", call(Axes::each_row_and_column, f32({5}), f32({3, 2, 2, 5})), {"[5]", "[3,5]"}},
          {"x in bf16", call(Axes::all, bf16({1}), bf16({3, 5})), {"bf16[1]"}},
          {"y of integers", call(Axes::all, f32({1}), i64({3, 5})), {"i64[3,5]"}},
          {"no x", call(Axes::all, kNone, f32({3, 5})), {"[1]"}},
          {"no y", call(Axes::all, f32({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_clamps() {
  std::vector<WrongCall> calls =
      wrong_maps_of_one_type([](Context& context, View x, View y) { clamp(context, {}, x, y); });
  for (const float high : {-2.0F, std::numeric_limits<float>::quiet_NaN()}) {
    calls.push_back({"ends in the wrong order",
                     [=](Context& context) {
                       clamp(context, {-1, high}, f32({3}), f32({3}));
                     },
                     {"from -1"}});
  }
  return calls;
}

std::vector<WrongCall> wrong_scales() {
  const auto call = [](View step, View x, View y) {
    return [=](Context& context) { scale_scheduled(context, 0.5, step, x, y); };
  };
  return {{"step of floats", call(f32({1}), f32({7}), f32({7})), {"f32[1]"}},
          {"two steps", call(i64({2}), f32({7}), f32({7})), {"[2]"}},
          {"x in bf16", call(i64({1}), bf16({7}), bf16({7})), {"bf16[7]"}},
          {"y of another shape", call(i64({1}), f32({7}), f32({8})), {"[7]", "[8]"}},
          {"no x", call(i64({1}), kNone, f32({7})), {}}};
}

std::vector<WrongCall> wrong_small_programs() {
  using Place = SmallArray::Place;
  const auto call = [](const std::vector<SmallArray>& arrays, const std::vector<SmallInstruction>& instructions) {
    return [=](Context& context) {
      const std::vector<View> inputs = {f32({7}), i64({1})}, outputs = {f32({7}), f32({3, 2})};
      small_program(context, {arrays, instructions}, inputs, outputs);
    };
  };
  const SmallArray x{Place::input, 0, {7}}, y{Place::output, 0, {7}}, counter{Place::input, 1, {1}, DType::i64};
  const SmallInstruction copy{.op = SmallOp::affine, .x = 0, .y = 1};
  const auto with = [&](SmallInstruction changed) { return call({x, y}, {changed}); };
  return {{"no instruction", call({x, y}, {}), {"0 instructions"}},
          {"too many instructions", call({x, y}, std::vector<SmallInstruction>(41, copy)), {"41", "40"}},
          {"too many arrays", call(std::vector<SmallArray>(65, y), {copy}), {"65", "64"}},
          {"too large an array", call({{Place::local, 0, {4097}}, y}, {copy}), {"[4097]", "4096"}},
          {"behind the local memory", call({{Place::local, 32768, {1}}, y}, {copy}), {"32768"}},
          {"a local array at no multiple of 16", call({{Place::local, 8, {7}}, y}, {copy}), {"byte 8"}},
          {"no such input", call({{Place::input, 2, {7}}, y}, {copy}), {"input 2 of 2"}},
          {"an input of another size", call({{Place::input, 0, {8}}, y}, {copy}), {"[8]", "[7]"}},
          {"an input of another type", call({{Place::input, 0, {7}, DType::bf16}, y}, {copy}), {"bf16[7]"}},
          {"no such array", with({.op = SmallOp::affine, .x = 2, .y = 1}), {"affine", "2 of 2"}},
          {"no x", with({.op = SmallOp::affine, .y = 1}), {"affine"}},
          {"no second operand", with({.op = SmallOp::add, .x = 0, .y = 1}), {"add"}},
          {"no y", with({.op = SmallOp::affine, .x = 0}), {"affine"}},
          {"writes an input", with({.op = SmallOp::affine, .x = 1, .y = 0}), {"affine", "array 0"}},
          {"shapes differ", call({x, {Place::output, 1, {6}}}, {copy}), {"affine", "[6]", "[7]"}},
          {"a sum that is no scalar", with({.op = SmallOp::reduce_sum, .x = 0, .y = 1}), {"reduce_sum", "[7]"}},
          {"rows outside", with({.op = SmallOp::slice_rows, .x = 0, .y = 1, .index = 1}), {"slice_rows"}},
          {"a column outside",
           call({{Place::local, 0, {1}}, counter, {Place::output, 1, {3, 2}}},
                {{.op = SmallOp::store_scalar, .x = 0, .b = 1, .y = 2, .index = 2}}),
           {"store_scalar", "[3,2]"}},
          {"a counter of floats", with({.op = SmallOp::advance_counter, .y = 1}), {"advance_counter", "f32[7]"}},
          {"too many schedules",
           call({x, y, counter},
                std::vector<SmallInstruction>(5, {.op = SmallOp::scale_scheduled, .x = 0, .b = 2, .y = 1})),
           {"5 schedules"}}};
}

WrongCalls make() {
  const auto affine_op = [](Context& context, View x, View y) { affine(context, {}, x, y); };
  const auto unary_op = [](Context& context, View x, View y) { unary(context, UnaryKind::softplus, x, y); };
  return {
      {"add", wrong_pairs([](Context& context, View a, View b, View y) { add(context, a, b, y); })},
      {"multiply", wrong_pairs([](Context& context, View a, View b, View y) { multiply(context, a, b, y); })},
      {"affine", wrong_maps_of_one_type(affine_op)},
      {"unary", wrong_maps_of_one_type(unary_op)},
      {"clamp", wrong_clamps()},
      {"fill", wrong_fills()},
      {"cast", wrong_maps([](Context& context, View x, View y) { cast(context, x, y); })},
      {"random_normal",
       wrong_draws([](Context& context, const Random& p, View step, View y) { random_normal(context, p, step, y); })},
      {"random_uniform",
       wrong_draws([](Context& context, const Random& p, View step, View y) { random_uniform(context, p, step, y); })},
      {"reduce_sum", wrong_reduces()},
      {"broadcast", wrong_broadcasts()},
      {"small_program", wrong_small_programs()},
      {"scale_scheduled", wrong_scales()}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_elements

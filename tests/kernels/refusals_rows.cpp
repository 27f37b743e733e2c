// What moves rows, columns and axes: wrong calls of each.
#include "kernels/columns.h"
#include "kernels/gather.h"
#include "kernels/indexed_rows.h"
#include "kernels/permute.h"
#include "kernels/rows.h"
#include "kernels/scale_rows.h"
#include "tests/support/wrong_calls.h"

#include <limits>

namespace duel::test::refusals_rows {

namespace {

std::vector<WrongCall> wrong_gathers() {
  const auto call = [](View rows, View step, View y, float divisor = 1) {
    return [=](Context& context) { gather_rows(context, {.order = {}, .scale = {divisor, 0}}, rows, step, y); };
  };
  const Shape m{9, 4, 4, 1}, b{3, 4, 4, 1};
  return {{"rows of bf16", call(bf16(m), i64({1}), f32(b)), {"bf16"}},
          {"y of another rank", call(u8({9, 4, 4}), i64({1}), f32({3, 16})), {"[9,4,4]", "[3,16]"}},
          {"y of another height", call(u8(m), i64({1}), f32({3, 5, 4, 1})), {"[9,4,4,1]", "[3,5,4,1]"}},
          {"y of other channels", call(u8(m), i64({1}), f32({3, 4, 4, 3})), {"[9,4,4,1]", "[3,4,4,3]"}},
          {"more than there are", call(u8(m), i64({1}), f32({10, 4, 4, 1})), {"[9,4,4,1]", "[10,4,4,1]"}},
          {"y of integers", call(u8(m), i64({1}), u8(b)), {"u8[3,4,4,1]"}},
          {"labels as floats", call(i32({9}), i64({1}), f32({3})), {"f32[3]", "i32"}},
          {"pictures as labels", call(u8({9}), i64({1}), i32({3})), {"i32[3]"}},
          {"a divisor of zero", call(u8(m), i64({1}), f32(b), 0), {"divisor", "0"}},
          {"step of floats", call(u8(m), f32({1}), f32(b)), {"f32[1]"}},
          {"two steps", call(u8(m), i64({2}), f32(b)), {"i64[2]"}},
          {"no step", call(u8(m), kNone, f32(b)), {}},
          {"no rows", call(kNone, i64({1}), f32(b)), {}},
          {"no y", call(i32({9}), i64({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_loads() {
  const auto call = [](const LoadRows& p, View ring, View step, View y) {
    return [=](Context& context) { load_rows(context, p, ring, step, y); };
  };
  const Shape r{2, 192}, b{3, 4, 4, 1};
  const LoadRows good{DType::u8, 128};
  return {{"ring of floats", call(good, f32(r), i64({1}), f32(b)), {"f32[2,192]"}},
          {"ring of rank 1", call(good, u8({384}), i64({1}), f32(b)), {"[384]"}},
          {"slots of odd size", call(good, u8({2, 200}), i64({1}), f32(b)), {"200", "64"}},
          {"rows at an odd place", call({DType::u8, 100}, u8(r), i64({1}), f32(b)), {"100", "64"}},
          {"beyond the slot", call(good, u8(r), i64({1}), f32({5, 4, 4, 1})), {"80", "128", "192"}},
          {"beyond the slot as floats", call({DType::f32, 64}, u8(r), i64({1}), f32(b)), {"192", "f32", "64"}},
          {"before the slot", call({DType::u8, -64}, u8(r), i64({1}), f32(b)), {"-64"}},
          {"rows of 64 bits", call({DType::i64, 0}, u8(r), i64({1}), f32(b)), {"i64"}},
          {"labels as floats", call({DType::i32, 0}, u8(r), i64({1}), f32({3})), {"f32[3]"}},
          {"a divisor below zero", call({DType::u8, 0, {-1, 0}}, u8(r), i64({1}), f32(b)), {"-1"}},
          {"y of integers", call(good, u8(r), i64({1}), u8(b)), {"u8[3,4,4,1]"}},
          {"two steps", call(good, u8(r), i64({2}), f32(b)), {"i64[2]"}},
          {"no ring", call(good, kNone, i64({1}), f32(b)), {}}};
}

std::vector<WrongCall> wrong_concats() {
  const auto call = [](View a, View b, View y) { return [=](Context& context) { concat_rows(context, a, b, y); }; };
  return {{"too few rows", call(f32({3, 5}), f32({2, 5}), f32({4, 5})), {"[3,5]", "[2,5]", "[4,5]"}},
          {"rows of another length", call(f32({3, 5}), f32({2, 4}), f32({5, 5})), {"[3,5]", "[2,4]", "[5,5]"}},
          {"b of another rank", call(f32({3, 5}), f32({5}), f32({4, 5})), {"[3,5]", "[5]"}},
          {"b of another type", call(f32({3, 5}), bf16({2, 5}), f32({5, 5})), {"f32[3,5]", "bf16[2,5]"}},
          {"y of another type", call(f32({3, 5}), f32({2, 5}), bf16({5, 5})), {"bf16[5,5]"}},
          {"all of integers", call(u8({3, 5}), u8({2, 5}), u8({5, 5})), {"u8[3,5]"}},
          {"no a", call(kNone, f32({2, 5}), f32({2, 5})), {}},
          {"no b", call(f32({3, 5}), kNone, f32({3, 5})), {"[3,5]"}}};
}

constexpr int kMost = std::numeric_limits<int>::max();

std::vector<WrongCall> wrong_slices() {
  const auto call = [](int begin, View x, View y) {
    return [=](Context& context) { slice_rows(context, begin, x, y); };
  };
  return {{"beyond the end", call(2, f32({4, 5}), f32({3, 5})), {"[4,5]", "[3,5]", "2"}},
          {"far beyond the end", call(kMost, f32({4, 5}), f32({3, 5})), {"[4,5]", "[3,5]"}},
          {"before the beginning", call(-1, f32({4, 5}), f32({3, 5})), {"[4,5]", "[3,5]", "-1"}},
          {"more than there is", call(0, f32({4, 5}), f32({5, 5})), {"[4,5]", "[5,5]"}},
          {"rows of another length", call(0, f32({4, 5}), f32({3, 4})), {"[4,5]", "[3,4]"}},
          {"y of another type", call(0, f32({4, 5}), bf16({3, 5})), {"f32[4,5]", "bf16[3,5]"}},
          {"both of integers", call(0, i64({4, 5}), i64({3, 5})), {"i64[3,5]"}},
          {"no x", call(0, kNone, f32({3, 5})), {"[3,5]"}},
          {"no y", call(0, f32({4, 5}), kNone), {}}};
}

std::vector<WrongCall> wrong_pads() {
  const auto call = [](int begin, View x, View y) { return [=](Context& context) { pad_rows(context, begin, x, y); }; };
  return {{"beyond the end", call(2, f32({3, 5}), f32({4, 5})), {"[4,5]", "[3,5]", "2"}},
          {"far beyond the end", call(kMost, f32({3, 5}), f32({4, 5})), {"[4,5]", "[3,5]"}},
          {"before the beginning", call(-1, f32({3, 5}), f32({4, 5})), {"[4,5]", "[3,5]", "-1"}},
          {"into fewer", call(0, f32({5, 5}), f32({4, 5})), {"[4,5]", "[5,5]"}},
          {"rows of another length", call(0, f32({3, 4}), f32({4, 5})), {"[4,5]", "[3,4]"}},
          {"y of another type", call(0, bf16({3, 5}), f32({4, 5})), {"f32[4,5]", "bf16[3,5]"}},
          {"no x", call(0, kNone, f32({4, 5})), {}},
          {"no y", call(0, f32({3, 5}), kNone), {"[3,5]"}}};
}

std::vector<WrongCall> wrong_column_concats() {
  const auto call = [](View a, View b, View y) { return [=](Context& context) { concat_columns(context, a, b, y); }; };
  return {{"too few columns", call(f32({5, 3}), f32({5, 2}), f32({5, 4})), {"[5,3]", "[5,2]", "[5,4]"}},
          {"other rows", call(f32({5, 3}), f32({4, 2}), f32({5, 5})), {"[5,3]", "[4,2]"}},
          {"b of another rank", call(f32({5, 3}), f32({5}), f32({5, 4})), {"[5,3]", "[5]"}},
          {"b of another type", call(f32({5, 3}), bf16({5, 2}), f32({5, 5})), {"f32[5,3]", "bf16[5,2]"}},
          {"y of another type", call(f32({5, 3}), f32({5, 2}), bf16({5, 5})), {"bf16[5,5]"}},
          {"all of integers", call(i32({5, 3}), i32({5, 2}), i32({5, 5})), {"i32[5,3]"}},
          {"no a", call(kNone, f32({5, 2}), f32({5, 2})), {}},
          {"no b", call(f32({5, 3}), kNone, f32({5, 3})), {"[5,3]"}},
          {"no y", call(f32({5, 3}), f32({5, 2}), kNone), {"[5,3]"}}};
}

// `part` at a column of `whole`: pad_columns takes them in this order, slice_columns in the other.
template <class Op>
std::vector<WrongCall> wrong_column_parts(Op op) {
  const auto call = [op](int begin, View part, View whole) {
    return [=](Context& context) { op(context, begin, part, whole); };
  };
  return {{"beyond the end", call(2, f32({5, 3}), f32({5, 4})), {"[5,4]", "[5,3]", "2"}},
          {"far beyond the end", call(kMost, f32({5, 3}), f32({5, 4})), {"[5,4]", "[5,3]"}},
          {"before the beginning", call(-1, f32({5, 3}), f32({5, 4})), {"[5,4]", "[5,3]", "-1"}},
          {"more than there is", call(0, f32({5, 5}), f32({5, 4})), {"[5,4]", "[5,5]"}},
          {"other rows", call(0, f32({4, 3}), f32({5, 4})), {"[5,4]", "[4,3]"}},
          {"another type", call(0, bf16({5, 3}), f32({5, 4})), {"bf16[5,3]", "f32[5,4]"}},
          {"both of integers", call(0, i32({5, 3}), i32({5, 4})), {"i32[5,3]"}},
          {"no part", call(0, kNone, f32({5, 4})), {}},
          {"no whole", call(0, f32({5, 3}), kNone), {"[5,3]"}}};
}

std::vector<WrongCall> wrong_permutes() {
  const auto call = [](const Permute& p, View x, View y) {
    return [=](Context& context) { permute(context, p, x, y); };
  };
  const Permute p{{0, 2, 1, 3}};
  return {
      {"an axis twice", call({{0, 1, 1, 3}}, f32({2, 3, 4, 5}), f32({2, 3, 3, 5})), {"0,1,1,3"}},
      {"an axis too many", call({{0, 1, 2, 4}}, f32({2, 3, 4, 5}), f32({2, 3, 4, 5})), {"0,1,2,4"}},
      {"three extents", call(p, f32({2, 3, 4}), f32({2, 4, 3})), {"[2,3,4]"}},
      {"y in x's order", call(p, f32({2, 3, 4, 5}), f32({2, 3, 4, 5})), {"f32[2,3,4,5]", "f32[2,4,3,5]", "0,2,1,3"}},
      {"y of another type", call(p, f32({2, 3, 4, 5}), bf16({2, 4, 3, 5})), {"bf16[2,4,3,5]"}},
      {"integers", call(p, i32({2, 3, 4, 5}), i32({2, 4, 3, 5})), {"i32[2,3,4,5]"}},
      {"too many elements",
       call(p, f32({1 << 10, 1 << 10, 1 << 10, 2}), f32({1 << 10, 1 << 10, 1 << 10, 2})),
       {"2^31"}},
      {"no x", call(p, kNone, f32({2, 3, 4, 5})), {}},
      {"no y", call(p, f32({2, 3, 4, 5}), kNone), {"[2,3,4,5]"}}};
}

std::vector<WrongCall> wrong_takes() {
  const auto call = [](View table, View index, View y) {
    return [=](Context& context) { take_rows(context, table, index, y); };
  };
  return {{"rows for other indices", call(f32({4, 5}), i32({3}), f32({2, 5})), {"[4,5]", "3", "[2,5]"}},
          {"rows of another length", call(f32({4, 5}), i32({3}), f32({3, 4})), {"[4,5]", "[3,4]"}},
          {"y of another type", call(f32({4, 5}), i32({3}), bf16({3, 5})), {"f32[4,5]", "bf16[3,5]"}},
          {"table of integers", call(i32({4, 5}), i32({3}), i32({3, 5})), {"i32[4,5]"}},
          {"index of floats", call(f32({4, 5}), f32({3}), f32({3, 5})), {"f32[3]"}},
          {"index of 64 bits", call(f32({4, 5}), i64({3}), f32({3, 5})), {"i64[3]"}},
          {"index of rank 2", call(f32({4, 5}), i32({3, 1}), f32({3, 5})), {"i32[3,1]"}},
          {"no table", call(kNone, i32({3}), f32({3, 5})), {}},
          {"no index", call(f32({4, 5}), kNone, f32({3, 5})), {}},
          {"no y", call(f32({4, 5}), i32({3}), kNone), {"[4,5]"}}};
}

std::vector<WrongCall> wrong_scatters() {
  const auto call = [](View dy, View index, View y) {
    return [=](Context& context) { scatter_rows(context, dy, index, y); };
  };
  return {{"rows for other indices", call(f32({2, 5}), i32({3}), f32({4, 5})), {"[4,5]", "3", "[2,5]"}},
          {"rows of another length", call(f32({3, 4}), i32({3}), f32({4, 5})), {"[4,5]", "[3,4]"}},
          {"y in bf16", call(bf16({3, 5}), i32({3}), bf16({4, 5})), {"bf16[4,5]"}},
          {"dy of integers", call(i32({3, 5}), i32({3}), f32({4, 5})), {"i32[3,5]"}},
          {"index of floats", call(f32({3, 5}), f32({3}), f32({4, 5})), {"f32[3]"}},
          {"no dy", call(kNone, i32({3}), f32({4, 5})), {}},
          {"no index", call(f32({3, 5}), kNone, f32({4, 5})), {}},
          {"no y", call(f32({3, 5}), i32({3}), kNone), {"[3,5]"}}};
}

std::vector<WrongCall> wrong_scales() {
  const auto call = [](View scale, View x, View addend, View y) {
    return [=](Context& context) { scale_rows(context, scale, x, addend, y); };
  };
  const View x = f32({3, 5}), scale = f32({3});
  return {{"a number a column", call(f32({5}), x, kNone, x), {"[5]", "[3]"}},
          {"numbers in bf16", call(bf16({3}), x, kNone, x), {"bf16[3]"}},
          {"numbers of rank 2", call(f32({3, 1}), x, kNone, x), {"[3,1]", "[3]"}},
          {"addend of another shape", call(scale, x, f32({3, 4}), x), {"[3,4]", "[3,5]"}},
          {"addend of another type", call(scale, x, bf16({3, 5}), x), {"bf16[3,5]"}},
          {"y of another shape", call(scale, x, kNone, f32({5, 3})), {"[5,3]", "[3,5]"}},
          {"y of another type", call(scale, x, kNone, bf16({3, 5})), {"bf16[3,5]"}},
          {"x of integers", call(scale, i32({3, 5}), kNone, i32({3, 5})), {"i32[3,5]"}},
          {"no x", call(scale, kNone, kNone, x), {}},
          {"no numbers", call(kNone, x, kNone, x), {}},
          {"no y", call(scale, x, kNone, kNone), {"[3,5]"}}};
}

WrongCalls make() {
  return {{"gather_rows", wrong_gathers()},
          {"load_rows", wrong_loads()},
          {"concat_rows", wrong_concats()},
          {"slice_rows", wrong_slices()},
          {"pad_rows", wrong_pads()},
          {"scale_rows", wrong_scales()},
          {"concat_columns", wrong_column_concats()},
          {"slice_columns", wrong_column_parts([](Context& context, int begin, View part, View whole) {
             slice_columns(context, begin, whole, part);
           })},
          {"pad_columns", wrong_column_parts([](Context& context, int begin, View part, View whole) {
             pad_columns(context, begin, part, whole);
           })},
          {"permute", wrong_permutes()},
          {"take_rows", wrong_takes()},
          {"scatter_rows", wrong_scatters()}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_rows

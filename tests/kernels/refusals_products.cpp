// Matrix products and convolutions: wrong calls of each.
#include "kernels/batched_matmul.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_bias_act.h"
#include "kernels/matmul.h"
#include "tests/support/wrong_calls.h"

namespace duel::test::refusals_products {

namespace {

std::vector<WrongCall> wrong_matmuls() {
  const auto call = [](const Matmul& p, View a, View b, View bias, View y) {
    return [=](Context& context) { matmul(context, p, a, b, bias, y); };
  };
  const Matmul ta{true, false, {}}, tb{false, true, {}};
  return {
      {"inner extents differ", call({}, f32({3, 5}), f32({7, 2}), kNone, f32({3, 2})), {"[3,5]", "[7,2]"}},
      {"inner extents differ, a transposed",
       call(ta, f32({3, 5}), f32({5, 2}), kNone, f32({3, 2})),
       {"[3,5]", "[5,2]"}},
      {"inner extents differ, b transposed",
       call(tb, f32({3, 5}), f32({5, 2}), kNone, f32({3, 2})),
       {"[3,5]", "[5,2]"}},
      {"y too wide", call({}, f32({3, 5}), f32({5, 2}), kNone, f32({3, 3})), {"[3,3]", "[3,5]", "[5,2]"}},
      {"y transposed", call({}, f32({3, 5}), f32({5, 2}), kNone, f32({2, 3})), {"[2,3]"}},
      {"bias as long as rows", call({}, f32({3, 5}), f32({5, 2}), f32({3}), f32({3, 2})), {"[3]"}},
      {"bias in bf16", call({}, f32({3, 5}), f32({5, 2}), bf16({2}), f32({3, 2})), {"bf16[2]"}},
      {"operands of two types", call({}, f32({3, 5}), bf16({5, 2}), kNone, f32({3, 2})), {"f32[3,5]", "bf16[5,2]"}},
      {"operand of rank 1", call({}, f32({5}), f32({5, 2}), kNone, f32({1, 2})), {"[5]", "[5,2]"}},
      {"a of integers", call({}, u8({3, 5}), u8({5, 2}), kNone, f32({3, 2})), {"u8[3,5]"}},
      {"y of integers", call({}, f32({3, 5}), f32({5, 2}), kNone, i64({3, 2})), {"i64[3,2]"}},
      {"no a", call({}, kNone, f32({5, 2}), kNone, f32({3, 2})), {}},
      {"no y", call({}, f32({3, 5}), f32({5, 2}), kNone, kNone), {}},
      {"rank 4 of another size", call({}, f32({3, 2, 2, 2}), f32({7, 2}), kNone, f32({3, 2})), {"[3,2,2,2]", "[7,2]"}},
      {"preparing a wrong call",
       [](Context& context) {
         prepare_matmul(context, {}, f32({3, 5}), f32({7, 2}), View{}, f32({3, 2}));
       },
       {"[3,5]", "[7,2]"}},
  };
}

// x, w and y of a convolution, wrongly put together; each of the three operators takes them in its own order.
struct WrongConv {
  std::string what;
  Conv2d conv;
  View x, w, y;
  std::vector<std::string> named;
};

std::vector<WrongConv> wrong_convs() {
  const Conv2d same = Conv2d::same(3);
  return {
      {"channels differ", same, f32({2, 5, 7, 3}), f32({4, 3, 3, 2}), f32({2, 5, 7, 4}), {"[2,5,7,3]", "[4,3,3,2]"}},
      {"channels of no group",
       Conv2d::same(3, 3),
       f32({2, 5, 7, 6}),
       f32({6, 3, 3, 6}),
       f32({2, 5, 7, 6}),
       {"[2,5,7,6]", "[6,3,3,6]", "3 groups"}},
      {"groups that do not divide the filters",
       Conv2d::same(3, 3),
       f32({2, 5, 7, 6}),
       f32({4, 3, 3, 2}),
       f32({2, 5, 7, 4}),
       {"[2,5,7,6]", "[4,3,3,2]", "3 groups"}},
      {"no groups", Conv2d::same(3, 0), f32({2, 5, 7, 6}), f32({4, 3, 3, 2}), f32({2, 5, 7, 4}), {"0 groups"}},
      {"y of another height",
       same,
       f32({2, 5, 7, 3}),
       f32({4, 3, 3, 3}),
       f32({2, 4, 7, 4}),
       {"[2,4,7,4]", "[2,5,7,4]"}},
      {"y of another batch", same, f32({2, 5, 7, 3}), f32({4, 3, 3, 3}), f32({1, 5, 7, 4}), {"[1,5,7,4]", "[2,5,7,4]"}},
      {"y of other channels",
       same,
       f32({2, 5, 7, 3}),
       f32({4, 3, 3, 3}),
       f32({2, 5, 7, 3}),
       {"[2,5,7,3]", "[4,3,3,3]"}},
      {"y as without stride", {2, 1, 1, 1, 1}, f32({2, 5, 7, 3}), f32({4, 3, 3, 3}), f32({2, 5, 7, 4}), {"[2,3,4,4]"}},
      {"filter larger than picture",
       {},
       f32({2, 2, 7, 3}),
       f32({4, 3, 3, 3}),
       f32({2, 1, 5, 4}),
       {"[2,2,7,3]", "[4,3,3,3]"}},
      {"stride 0",
       {0, 1, 1, 1, 1},
       f32({2, 5, 7, 3}),
       f32({4, 3, 3, 3}),
       f32({2, 5, 7, 4}),
       {"[2,5,7,3]", "[4,3,3,3]"}},
      {"negative padding",
       {1, -1, 1, 1, 1},
       f32({2, 5, 7, 3}),
       f32({4, 3, 3, 3}),
       f32({2, 3, 7, 4}),
       {"[2,5,7,3]", "[4,3,3,3]"}},
      {"x of rank 3", same, f32({5, 7, 3}), f32({4, 3, 3, 3}), f32({2, 5, 7, 4}), {"[5,7,3]"}},
      {"w of rank 2", same, f32({2, 5, 7, 3}), f32({4, 27}), f32({2, 5, 7, 4}), {"[4,27]"}},
      {"x of integers", same, u8({2, 5, 7, 3}), f32({4, 3, 3, 3}), f32({2, 5, 7, 4}), {"u8[2,5,7,3]"}},
      {"no w", same, f32({2, 5, 7, 3}), kNone, f32({2, 5, 7, 4}), {}},
  };
}

std::vector<WrongCall> wrong_forwards() {
  std::vector<WrongCall> list;
  for (const WrongConv& c : wrong_convs()) {
    list.push_back(
        {c.what, [=](Context& context) { conv2d_forward(context, c.conv, {}, c.x, c.w, View{}, c.y); }, c.named});
    list.push_back({c.what + ", prepared",
                    [=](Context& context) { prepare_conv2d_forward(context, c.conv, {}, c.x, c.w, View{}, c.y); },
                    c.named});
  }
  const auto call = [](View x, View w, View bias, View y) {
    return [=](Context& context) { conv2d_forward(context, Conv2d::same(3), {}, x, w, bias, y); };
  };
  const Shape x{2, 5, 7, 3}, w{4, 3, 3, 3}, y{2, 5, 7, 4};
  list.push_back({"bias of another length", call(f32(x), f32(w), f32({3}), f32(y)), {"[3]", "[4]"}});
  list.push_back({"bias in bf16", call(f32(x), f32(w), bf16({4}), f32(y)), {"bf16[4]"}});
  list.push_back({"x and w of two types", call(bf16(x), f32(w), kNone, f32(y)), {"bf16[2,5,7,3]", "f32[4,3,3,3]"}});
  list.push_back({"f32 into bf16", call(f32(x), f32(w), kNone, bf16(y)), {"bf16[2,5,7,4]"}});
  return list;
}

std::vector<WrongCall> wrong_backward_inputs() {
  std::vector<WrongCall> list;
  for (const WrongConv& c : wrong_convs()) {
    list.push_back({c.what, [=](Context& context) { conv2d_backward_input(context, c.conv, c.y, c.w, c.x); }, c.named});
    list.push_back({c.what + ", prepared",
                    [=](Context& context) { prepare_conv2d_backward_input(context, c.conv, c.y, c.w, c.x); }, c.named});
  }
  const auto call = [](View dy, View w, View dx) {
    return [=](Context& context) { conv2d_backward_input(context, Conv2d::same(3), dy, w, dx); };
  };
  const Shape x{2, 5, 7, 3}, w{4, 3, 3, 3}, y{2, 5, 7, 4};
  list.push_back({"dy and w of two types", call(bf16(y), f32(w), f32(x)), {"bf16[2,5,7,4]", "f32[4,3,3,3]"}});
  list.push_back({"f32 into bf16", call(f32(y), f32(w), bf16(x)), {"bf16[2,5,7,3]"}});
  return list;
}

std::vector<WrongCall> wrong_backward_weights() {
  std::vector<WrongCall> list;
  for (const WrongConv& c : wrong_convs()) {
    list.push_back(
        {c.what, [=](Context& context) { conv2d_backward_weight(context, c.conv, c.x, c.y, c.w); }, c.named});
    list.push_back({c.what + ", prepared",
                    [=](Context& context) { prepare_conv2d_backward_weight(context, c.conv, c.x, c.y, c.w); },
                    c.named});
  }
  const auto call = [](View x, View dy, View dw) {
    return [=](Context& context) { conv2d_backward_weight(context, Conv2d::same(3), x, dy, dw); };
  };
  const Shape x{2, 5, 7, 3}, w{4, 3, 3, 3}, y{2, 5, 7, 4};
  list.push_back({"x and dy of two types", call(bf16(x), f32(y), f32(w)), {"bf16[2,5,7,3]", "f32[2,5,7,4]"}});
  list.push_back({"dw in bf16", call(bf16(x), bf16(y), bf16(w)), {"bf16[4,3,3,3]"}});
  return list;
}

std::vector<WrongCall> wrong_conv2d_bias_act_backwards() {
  struct Arrays {
    View x = f32({2, 5, 4, 3}), dy = f32({2, 5, 4, 6}), y = f32({2, 5, 4, 6}), dz = f32({2, 5, 4, 6}),
         dw = f32({6, 3, 3, 3}), db = f32({6});
  };
  const auto call = [](const Arrays& a) {
    return [=](Context& context) {
      conv2d_bias_act_backward(context, Conv2d::same(3), {}, a.x, a.dy, a.y, a.dz, a.dw, a.db);
    };
  };
  return {{"dw of other channels", call({.dw = f32({6, 3, 3, 2})}), {"[6,3,3,2]", "[2,5,4,3]"}},
          {"dw of rank 3", call({.dw = f32({6, 3, 9})}), {"[6,3,9]"}},
          {"dw in bf16", call({.dw = bf16({6, 3, 3, 3})}), {"bf16[6,3,3,3]"}},
          {"dy of another shape", call({.dy = f32({2, 4, 5, 6})}), {"[2,4,5,6]", "[2,5,4,6]"}},
          {"dy of another type", call({.dy = bf16({2, 5, 4, 6})}), {"bf16[2,5,4,6]"}},
          {"y of another shape", call({.y = f32({2, 5, 4, 3})}), {"y is f32[2,5,4,3]"}},
          {"dz of another type", call({.dz = bf16({2, 5, 4, 6})}), {"dz is bf16[2,5,4,6]"}},
          {"db as long as pictures", call({.db = f32({2})}), {"db is f32[2]"}},
          {"x of integers", call({.x = u8({2, 5, 4, 3})}), {"u8[2,5,4,3]"}},
          {"no x", call({.x = {}}), {}}};
}

std::vector<WrongCall> wrong_batches() {
  const auto call = [](const BatchedMatmul& p, View a, View b, View y) {
    return [=](Context& context) { batched_matmul(context, p, a, b, y); };
  };
  return {{"other inner extents", call({}, f32({2, 3, 5}), f32({2, 4, 7}), f32({2, 3, 7})), {"[2,3,5]", "5", "4"}},
          {"transposed", call({true, false}, f32({2, 3, 5}), f32({2, 5, 7}), f32({2, 5, 7})), {"transposed", "3"}},
          {"other batches", call({}, f32({2, 3, 5}), f32({3, 5, 7}), f32({2, 3, 7})), {"[2,3,5]", "[3,5,7]"}},
          {"matrices", call({}, f32({3, 5}), f32({5, 7}), f32({3, 7})), {"[3,5]", "[5,7]"}},
          {"pictures", call({}, f32({2, 3, 1, 5}), f32({2, 5, 7}), f32({2, 3, 7})), {"[2,3,1,5]"}},
          {"another result", call({}, f32({2, 3, 5}), f32({2, 5, 7}), f32({2, 7, 3})), {"[2,7,3]", "[2,3,7]"}},
          {"two types", call({}, f32({2, 3, 5}), bf16({2, 5, 7}), f32({2, 3, 7})), {"f32[2,3,5]", "bf16[2,5,7]"}},
          {"of integers", call({}, i32({2, 3, 5}), i32({2, 5, 7}), f32({2, 3, 7})), {"i32[2,3,5]"}},
          {"no a", call({}, kNone, f32({2, 5, 7}), f32({2, 3, 7})), {}},
          {"no b", call({}, f32({2, 3, 5}), kNone, f32({2, 3, 7})), {}},
          {"no y", call({}, f32({2, 3, 5}), f32({2, 5, 7}), kNone), {}}};
}

WrongCalls make() {
  return {{"matmul", wrong_matmuls()},
          {"conv2d_forward", wrong_forwards()},
          {"conv2d_backward_input", wrong_backward_inputs()},
          {"conv2d_backward_weight", wrong_backward_weights()},
          {"conv2d_bias_act_backward", wrong_conv2d_bias_act_backwards()},
          {"batched_matmul", wrong_batches()}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_products

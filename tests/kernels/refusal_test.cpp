// Wrong calls: a dispatcher refuses shapes and types that cannot be right before any backend sees them, with an Error
// that names the operator and the shapes. The views have no data, so a call that gets through would crash.
#include "kernels/augment_pictures.h"
#include "kernels/batch_norm.h"
#include "kernels/batched_matmul.h"
#include "kernels/bias_act.h"
#include "kernels/check.h"
#include "kernels/columns.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_bias_act.h"
#include "kernels/crop_pictures.h"
#include "kernels/cross_entropy.h"
#include "kernels/elementwise.h"
#include "kernels/gate.h"
#include "kernels/gather.h"
#include "kernels/grid_sample.h"
#include "kernels/group_norm.h"
#include "kernels/indexed_rows.h"
#include "kernels/matmul.h"
#include "kernels/optimizer.h"
#include "kernels/pad2d.h"
#include "kernels/permute.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/resample2d.h"
#include "kernels/rows.h"
#include "kernels/scale_scheduled.h"
#include "kernels/shift_flip.h"
#include "kernels/small_program.h"
#include "kernels/softmax.h"
#include "kernels/step_state.h"
#include "tests/support/op_runner.h"
#include "tests/support/paths.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <map>

namespace duel::test {

namespace {

struct WrongCall {
  std::string what;
  std::function<void(Context&)> call;
  std::vector<std::string> named;  // what the message must contain besides the operator
};

View f32(const Shape& shape) {
  return {nullptr, shape, DType::f32};
}
View bf16(const Shape& shape) {
  return {nullptr, shape, DType::bf16};
}
View u8(const Shape& shape) {
  return {nullptr, shape, DType::u8};
}
View i32(const Shape& shape) {
  return {nullptr, shape, DType::i32};
}
View i64(const Shape& shape) {
  return {nullptr, shape, DType::i64};
}
const View kNone;

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

std::vector<WrongCall> wrong_bias_act_forwards() {
  const auto call = [](View x, View bias, View y) {
    return [=](Context& context) { bias_act_forward(context, {}, x, bias, y); };
  };
  return {{"y of another shape", call(f32({3, 5}), kNone, f32({5, 3})), {"[3,5]", "[5,3]"}},
          {"y of another type", call(f32({3, 5}), kNone, bf16({3, 5})), {"f32[3,5]", "bf16[3,5]"}},
          {"bias as long as rows", call(f32({3, 5}), f32({3}), f32({3, 5})), {"[3]", "[5]"}},
          {"bias in bf16", call(bf16({3, 5}), bf16({5}), bf16({3, 5})), {"bf16[5]"}},
          {"bias of rank 2", call(f32({3, 5}), f32({1, 5}), f32({3, 5})), {"[1,5]"}},
          {"x of integers", call(i64({3, 5}), kNone, i64({3, 5})), {"i64[3,5]"}},
          {"no x", call(kNone, kNone, f32({3, 5})), {}},
          {"no y", call(f32({3, 5}), kNone, kNone), {"[3,5]"}}};
}

std::vector<WrongCall> wrong_activation_backwards() {
  const auto call = [](View dy, View y, View dx) {
    return [=](Context& context) { activation_backward(context, {}, dy, y, dx); };
  };
  return {{"y of another shape", call(f32({3, 5}), f32({15}), f32({3, 5})), {"[3,5]", "[15]"}},
          {"dx of another shape", call(f32({3, 5}), f32({3, 5}), f32({3, 4})), {"[3,5]", "[3,4]"}},
          {"y of another type", call(f32({3, 5}), bf16({3, 5}), f32({3, 5})), {"bf16[3,5]"}},
          {"dx of another type", call(bf16({3, 5}), bf16({3, 5}), f32({3, 5})), {"f32[3,5]"}},
          {"all of integers", call(u8({3, 5}), u8({3, 5}), u8({3, 5})), {"u8[3,5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5})), {}}};
}

std::vector<WrongCall> wrong_bias_backwards() {
  const auto call = [](View dy, View db) { return [=](Context& context) { bias_backward(context, dy, db); }; };
  return {{"db as long as rows", call(f32({3, 5}), f32({3})), {"[3]", "[5]"}},
          {"db in bf16", call(bf16({3, 5}), bf16({5})), {"bf16[5]"}},
          {"dy of integers", call(i64({3, 5}), f32({5})), {"i64[3,5]"}},
          {"no dy", call(kNone, f32({5})), {}},
          {"no db", call(f32({3, 5}), kNone), {"[5]"}}};
}

std::vector<WrongCall> wrong_bias_act_backwards() {
  const auto call = [](View dy, View y, View dx, View db) {
    return [=](Context& context) { bias_act_backward(context, {}, dy, y, dx, db); };
  };
  return {{"y of another shape", call(f32({3, 5}), f32({5, 3}), f32({3, 5}), f32({5})), {"[3,5]", "[5,3]"}},
          {"dx of another type", call(f32({3, 5}), f32({3, 5}), bf16({3, 5}), f32({5})), {"bf16[3,5]"}},
          {"db as long as rows", call(f32({3, 5}), f32({3, 5}), f32({3, 5}), f32({3})), {"[3]", "[5]"}},
          {"db in bf16", call(bf16({3, 5}), bf16({3, 5}), bf16({3, 5}), bf16({5})), {"bf16[5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5}), f32({5})), {}}};
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

template <class Op>
std::vector<WrongCall> wrong_maps(Op op) {
  const auto call = [op](View x, View y) { return [=](Context& context) { op(context, x, y); }; };
  return {{"y of another shape", call(f32({3, 5}), f32({5, 3})), {"[3,5]", "[5,3]"}},
          {"y of another rank", call(f32({15}), f32({3, 5})), {"[15]", "[3,5]"}},
          {"y of integers", call(f32({3, 5}), i64({3, 5})), {"i64[3,5]"}},
          {"both of integers", call(u8({3, 5}), u8({3, 5})), {"u8[3,5]"}},
          {"no x", call(kNone, f32({3})), {}},
          {"no y", call(f32({3}), kNone), {}}};
}

template <class Op>
std::vector<WrongCall> wrong_maps_of_one_type(Op op) {
  std::vector<WrongCall> list = wrong_maps(op);
  list.push_back({"y of another type",
                  [op](Context& context) {
                    op(context, f32({3, 5}), bf16({3, 5}));
                  },
                  {"f32[3,5]", "bf16[3,5]"}});
  return list;
}

std::vector<WrongCall> wrong_fills() {
  const auto call = [](View y) { return [=](Context& context) { fill(context, 1.0F, y); }; };
  return {{"y of integers", call(i64({3, 5})), {"i64[3,5]"}}, {"no y", call(kNone), {}}};
}

template <class Op>
std::vector<WrongCall> wrong_moves(Op op) {
  const auto call = [op](View x, View step, View y, int pixels = 2) {
    return [=](Context& context) {
      ShiftFlip p;
      p.pixels = pixels;
      op(context, p, x, step, y);
    };
  };
  const Shape m{5, 4, 3, 2};
  return {{"y of another shape", call(f32(m), i64({1}), f32({5, 3, 4, 2})), {"[5,4,3,2]", "[5,3,4,2]"}},
          {"y of another type", call(f32(m), i64({1}), bf16(m)), {"f32[5,4,3,2]", "bf16[5,4,3,2]"}},
          {"pictures of bytes", call(u8(m), i64({1}), u8(m)), {"u8[5,4,3,2]"}},
          {"no pictures but rows", call(f32({5, 24}), i64({1}), f32({5, 24})), {"[5,24]"}},
          {"two steps", call(f32(m), i64({2}), f32(m)), {"[2]"}},
          {"backwards", call(f32(m), i64({1}), f32(m), -1), {"-1"}},
          {"too far", call(f32(m), i64({1}), f32(m), 65536), {"65536"}},
          {"no x", call(kNone, i64({1}), f32(m)), {}},
          {"no y", call(f32(m), i64({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_moves_backward() {
  std::vector<WrongCall> list = wrong_moves(
      [](Context& c, const ShiftFlip& p, View dy, View step, View dx) { shift_flip_backward(c, p, dy, step, dx); });
  list.push_back({"a border",
                  [](Context& context) {
                    ShiftFlip p;
                    p.edge = PictureEdge::border;
                    shift_flip_backward(context, p, f32({1, 2, 2, 1}), i64({1}), f32({1, 2, 2, 1}));
                  },
                  {"border"}});
  return list;
}

std::vector<WrongCall> wrong_crops() {
  const auto call = [](View x, View step, View y, const CropPictures& p = {{}, 2, 2, 1, false, true}) {
    return [=](Context& context) { crop_pictures(context, p, x, step, y); };
  };
  const Shape m{5, 4, 3, 2}, part{5, 2, 2, 2};
  return {{"y of the whole", call(f32(m), i64({1}), f32(m)), {"[5,4,3,2]", "[5,2,2,2]"}},
          {"y of another type", call(f32(m), i64({1}), bf16(part)), {"bf16[5,2,2,2]"}},
          {"pictures of bytes", call(u8(m), i64({1}), u8(part)), {"u8[5,4,3,2]"}},
          {"no pictures but rows", call(f32({5, 24}), i64({1}), f32({5, 24})), {"[5,24]"}},
          {"two steps", call(f32(m), i64({2}), f32(part)), {"[2]"}},
          {"too wide", call(f32(m), i64({1}), f32({5, 2, 4, 2}), {{}, 2, 4, 1, false, false}), {"2x4", "4x3"}},
          {"too wide at its scale",
           call(f32(m), i64({1}), f32({5, 4, 4, 2}), {{}, 2, 2, 2, false, false}),
           {"2x2 at scale 2", "4x3"}},
          {"nothing", call(f32(m), i64({1}), f32(part), {{}, 0, 2, 1, false, false}), {"0x2"}},
          {"turned and not square", call(f32(m), i64({1}), f32({5, 3, 2, 2}), {{}, 3, 2, 1, false, true}), {"3x2"}},
          {"no x", call(kNone, i64({1}), f32(part)), {}},
          {"no y", call(f32(m), i64({1}), kNone), {}}};
}

template <class Op>
std::vector<WrongCall> wrong_augmentations(Op op) {
  const auto call = [op](View x, View draws, View probability, View y, const AugmentPictures& p = {}) {
    return [=](Context& context) { op(context, p, x, draws, probability, y); };
  };
  const Shape m{5, 4, 3, 2};
  const View draws = f32({5, kAugmentDraws}), one = f32({1});
  const auto with = [&](auto AugmentPictures::*member, auto value) {
    AugmentPictures p;
    p.*member = value;
    return call(f32(m), draws, one, f32(m), p);
  };
  return {{"y of another shape", call(f32(m), draws, one, f32({5, 3, 4, 2})), {"[5,4,3,2]", "[5,3,4,2]"}},
          {"y of another type", call(f32(m), draws, one, bf16(m)), {"f32[5,4,3,2]", "bf16[5,4,3,2]"}},
          {"pictures of bytes", call(u8(m), draws, one, u8(m)), {"u8[5,4,3,2]"}},
          {"no pictures but rows", call(f32({5, 24}), draws, one, f32({5, 24})), {"[5,24]"}},
          {"five channels", call(f32({5, 4, 3, 5}), draws, one, f32({5, 4, 3, 5})), {"[5,4,3,5]"}},
          {"a picture of 2^32 pixels",
           call(f32({1, 65536, 65536, 1}), f32({1, kAugmentDraws}), one, f32({1, 65536, 65536, 1})),
           {"[1,65536,65536,1]"}},
          {"draws for other pictures", call(f32(m), f32({4, kAugmentDraws}), one, f32(m)), {"[4,11]", "[5,11]"}},
          {"too few draws", call(f32(m), f32({5, 10}), one, f32(m)), {"[5,10]"}},
          {"draws in bf16", call(f32(m), bf16({5, kAugmentDraws}), one, f32(m)), {"bf16[5,11]"}},
          {"a probability for each", call(f32(m), draws, f32({5}), f32(m)), {"f32[5]"}},
          {"moved backwards", with(&AugmentPictures::shift_rows, -1), {"-1", "shift_rows"}},
          {"moved too far", with(&AugmentPictures::shift_columns, 65536), {"65536", "shift_columns"}},
          {"less than no hole", with(&AugmentPictures::hole_rows, -2), {"-2", "hole_rows"}},
          {"too large a hole", with(&AugmentPictures::hole_columns, 65536), {"65536", "hole_columns"}},
          {"too bright", with(&AugmentPictures::brightness, 2.5F), {"2.5", "brightness"}},
          {"colours turned round", with(&AugmentPictures::saturation, 1.25F), {"1.25", "saturation"}},
          {"contrast that is no number",
           with(&AugmentPictures::contrast, std::numeric_limits<float>::quiet_NaN()),
           {"nan", "contrast"}},
          {"no x", call(kNone, draws, one, f32(m)), {}},
          {"no y", call(f32(m), draws, one, kNone), {}}};
}

std::vector<WrongCall> wrong_resamples() {
  const auto call = [](View x, View y, int up = 1, int down = 2, int pad = 1, int count = 4) {
    return [=](Context& context) {
      Resample2d p = bilinear_down();
      p.up = up;
      p.down = down;
      p.pad = pad;
      p.count = count;
      resample2d(context, p, x, y);
    };
  };
  const View x = f32({2, 4, 6, 3}), y = f32({2, 2, 3, 3});
  return {{"x of integers", call(u8({2, 4, 6, 3}), y), {"u8[2,4,6,3]"}},
          {"x of rank 3", call(f32({4, 6, 3}), y), {"[4,6,3]"}},
          {"another type", call(x, bf16({2, 2, 3, 3})), {"bf16[2,2,3,3]"}},
          {"another batch", call(x, f32({1, 2, 3, 3})), {"[2,4,6,3]", "[1,2,3,3]"}},
          {"other channels", call(x, f32({2, 2, 3, 4})), {"[2,4,6,3]", "[2,2,3,4]"}},
          {"up 0", call(x, y, 0), {"up is 0"}},
          {"down 0", call(x, y, 1, 0), {"down 0"}},
          {"too much padding", call(x, y, 1, 2, 4), {"padding 4 with 4 taps"}},
          {"no taps", call(x, y, 1, 2, 0, 0), {"0 taps"}},
          {"too many taps", call(x, y, 1, 2, 0, 17), {"17 taps"}}};
}

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

// x or dx, and y or dy.
template <class Op>
std::vector<WrongCall> wrong_gates(Op op) {
  const auto call = [op](View x, View y) { return [=](Context& context) { op(context, x, y); }; };
  return {{"odd columns", call(f32({4, 5}), f32({4, 2})), {"[4,5]", "[4,2]"}},
          {"as many columns", call(f32({4, 6}), f32({4, 6})), {"[4,6]"}},
          {"other rows", call(f32({4, 6}), f32({5, 3})), {"[4,6]", "[5,3]"}},
          {"another type", call(f32({4, 6}), bf16({4, 3})), {"f32[4,6]", "bf16[4,3]"}},
          {"integers", call(i32({4, 6}), i32({4, 3})), {"i32[4,6]"}},
          {"no x", call(kNone, f32({4, 3})), {}},
          {"no y", call(f32({4, 6}), kNone), {"[4,6]"}}};
}

struct GroupNormArrays {
  View x, gamma, beta, y, mean, rstd;
};

std::vector<WrongCall> wrong_group_norm_forwards() {
  const auto call = [](const GroupNorm& p, const GroupNormArrays& a) {
    return [=](Context& context) { group_norm_forward(context, p, a.x, a.gamma, a.beta, a.y, a.mean, a.rstd); };
  };
  const View x = f32({2, 3, 4}), c = f32({4}), of_rows = f32({2, 2});
  const GroupNorm p{2, false};
  return {
      {"groups that do not divide", call({3, false}, {x, c, c, x, f32({2, 3}), f32({2, 3})}), {"[2,3,4]", "3 groups"}},
      {"no groups", call({0, false}, {x, c, c, x, of_rows, of_rows}), {"0 groups"}},
      {"no epsilon", call({2, false, 0}, {x, c, c, x, of_rows, of_rows}), {"epsilon 0"}},
      {"gamma alone", call(p, {x, c, kNone, x, of_rows, of_rows}), {"gamma is given", "beta is not"}},
      {"beta alone", call(p, {x, kNone, c, x, of_rows, of_rows}), {"gamma is not", "beta is given"}},
      {"gamma in bf16", call(p, {x, bf16({4}), c, x, of_rows, of_rows}), {"gamma is bf16[4]"}},
      {"shorter beta", call(p, {x, c, f32({3}), x, of_rows, of_rows}), {"beta is f32[3]", "f32[4]"}},
      {"y of another type", call(p, {x, c, c, bf16({2, 3, 4}), of_rows, of_rows}), {"y is bf16"}},
      {"the mean of each pixel", call(p, {x, c, c, x, f32({6, 2}), of_rows}), {"mean is f32[6,2]", "f32[2,2]"}},
      {"rstd of each row", call({2, true}, {x, c, c, x, f32({6, 2}), of_rows}), {"rstd is f32[2,2]", "f32[6,2]"}},
      {"x of integers", call(p, {i32({2, 3, 4}), c, c, x, of_rows, of_rows}), {"i32[2,3,4]"}},
      {"too many sums",
       call({1, false},
            {f32({1 << 9, 2, 1 << 9}), kNone, kNone, f32({1 << 9, 2, 1 << 9}), f32({1 << 9, 1}), f32({1 << 9, 1})}),
       {"131072"}},
      {"no x", call(p, {kNone, c, c, x, of_rows, of_rows}), {}}};
}

std::vector<WrongCall> wrong_group_norm_backwards() {
  const auto call = [](View dy, View x, View gamma, View mean, View dx, View dgamma, View dbeta) {
    return [=](Context& context) {
      group_norm_backward(context, {2, false}, dy, x, gamma, mean, f32({2, 2}), dx, dgamma, dbeta);
    };
  };
  const View x = f32({2, 3, 4}), c = f32({4}), of_rows = f32({2, 2});
  return {{"dy of another shape", call(f32({2, 4, 3}), x, c, of_rows, x, c, c), {"dy is f32[2,4,3]"}},
          {"dx of another type", call(x, x, c, of_rows, bf16({2, 3, 4}), c, c), {"dx is bf16[2,3,4]"}},
          {"no dgamma", call(x, x, c, of_rows, x, kNone, c), {"dgamma is not", "both"}},
          {"dbeta without gamma", call(x, x, kNone, of_rows, x, kNone, c), {"dbeta is given", "neither"}},
          {"longer gamma", call(x, x, f32({5}), of_rows, x, c, c), {"gamma is f32[5]"}},
          {"mean of columns", call(x, x, c, c, x, c, c), {"mean is f32[4]", "f32[2,2]"}},
          {"no x", call(x, kNone, c, of_rows, x, c, c), {}}};
}

// `small` and `large`: the picture without its margins and with them.
template <class Op>
std::vector<WrongCall> wrong_margins(Op op) {
  const auto call = [op](const Pad2d& p, View small, View large) {
    return [=](Context& context) { op(context, p, small, large); };
  };
  const Pad2d one{PadKind::reflect, 1, 1, 1, 1};
  const View small = f32({2, 3, 4, 5}), large = f32({2, 5, 6, 5});
  return {{"a margin below zero", call({PadKind::edge, -1, 1, 1, 1}, small, large), {"-1 above"}},
          {"reflected beyond the picture", call({PadKind::reflect, 3, 0, 0, 0}, small, f32({2, 6, 4, 5})), {"3 above"}},
          {"three extents", call(one, f32({3, 4, 5}), f32({5, 6, 5})), {"[3,4,5]"}},
          {"no margin in y", call(one, small, small), {"f32[2,5,6,5]", "f32[2,3,4,5]"}},
          {"another type", call(one, small, bf16({2, 5, 6, 5})), {"bf16[2,5,6,5]"}},
          {"integers", call(one, i32({2, 3, 4, 5}), i32({2, 5, 6, 5})), {"i32[2,3,4,5]"}},
          {"no picture", call(one, kNone, large), {}},
          {"no padded picture", call(one, small, kNone), {"f32[2,5,6,5]"}}};
}

// x or dx, the grid, and y or dy.
template <class Op>
std::vector<WrongCall> wrong_samples(Op op) {
  const auto call = [op](View x, View grid, View y) { return [=](Context& context) { op(context, x, grid, y); }; };
  const View x = f32({2, 3, 4, 5}), grid = f32({2, 6, 7, 2}), y = f32({2, 6, 7, 5});
  return {{"a grid of one number", call(x, f32({2, 6, 7, 1}), y), {"f32[2,6,7,1]", "f32[2,P,Q,2]"}},
          {"a grid for other pictures", call(x, f32({3, 6, 7, 2}), f32({3, 6, 7, 5})), {"f32[3,6,7,2]"}},
          {"a grid in bf16", call(x, bf16({2, 6, 7, 2}), y), {"bf16[2,6,7,2]"}},
          {"other channels", call(x, grid, f32({2, 6, 7, 4})), {"f32[2,6,7,4]", "f32[2,6,7,5]"}},
          {"another type", call(x, grid, bf16({2, 6, 7, 5})), {"bf16[2,6,7,5]"}},
          {"three extents", call(f32({3, 4, 5}), grid, y), {"[3,4,5]"}},
          {"integers", call(i32({2, 3, 4, 5}), grid, i32({2, 6, 7, 5})), {"i32[2,3,4,5]"}},
          {"no grid", call(x, kNone, y), {}},
          {"no pictures", call(kNone, grid, y), {}},
          {"no result", call(x, grid, kNone), {}}};
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

std::vector<WrongCall> wrong_softmax_backwards() {
  const auto call = [](View dy, View y, View dx) {
    return [=](Context& context) { softmax_backward(context, dy, y, dx); };
  };
  return {{"another dy", call(f32({5, 3}), f32({3, 5}), f32({3, 5})), {"[5,3]", "[3,5]"}},
          {"another dx", call(f32({3, 5}), f32({3, 5}), bf16({3, 5})), {"bf16[3,5]"}},
          {"of integers", call(i32({3, 5}), i32({3, 5}), i32({3, 5})), {"i32[3,5]"}},
          {"no dy", call(kNone, f32({3, 5}), f32({3, 5})), {}},
          {"no y", call(f32({3, 5}), kNone, f32({3, 5})), {}},
          {"no dx", call(f32({3, 5}), f32({3, 5}), kNone), {}}};
}

std::vector<WrongCall> wrong_cross_entropies() {
  const auto call = [](float smoothing, View logits, View labels, View loss, View log_sums) {
    return [=](Context& context) { softmax_cross_entropy(context, {smoothing}, logits, labels, loss, log_sums); };
  };
  const View x = f32({3, 5}), l = i32({3}), one = f32({1}), sums = f32({3});
  return {{"logits of rank 1", call(0, f32({3}), l, one, sums), {"f32[3]"}},
          {"logits in bf16", call(0, bf16({3, 5}), l, one, sums), {"bf16[3,5]"}},
          {"labels of floats", call(0, x, f32({3}), one, sums), {"f32[3]"}},
          {"too few labels", call(0, x, i32({2}), one, sums), {"i32[2]", "[3,5]"}},
          {"a loss of each row", call(0, x, l, sums, sums), {"loss is f32[3]"}},
          {"sums of each column", call(0, x, l, one, f32({5})), {"log_sums is f32[5]"}},
          {"smoothed to nothing", call(1, x, l, one, sums), {"1"}},
          {"smoothed backwards", call(-0.5F, x, l, one, sums), {"-0.5"}},
          {"no logits", call(0, kNone, l, one, sums), {}},
          {"no labels", call(0, x, kNone, one, sums), {}},
          {"no loss", call(0, x, l, kNone, sums), {}},
          {"no sums", call(0, x, l, one, kNone), {}}};
}

std::vector<WrongCall> wrong_cross_entropy_backwards() {
  const auto call = [](float smoothing, View logits, View labels, View log_sums, View dlogits) {
    return [=](Context& context) {
      softmax_cross_entropy_backward(context, {smoothing}, logits, labels, log_sums, dlogits);
    };
  };
  const View x = f32({3, 5}), l = i32({3}), sums = f32({3});
  return {{"logits of rank 1", call(0, f32({3}), l, sums, x), {"f32[3]"}},
          {"too many labels", call(0, x, i32({4}), sums, x), {"i32[4]", "[3,5]"}},
          {"sums of each column", call(0, x, l, f32({5}), x), {"log_sums is f32[5]"}},
          {"dlogits in bf16", call(0, x, l, sums, bf16({3, 5})), {"bf16[3,5]"}},
          {"smoothed to nothing", call(1, x, l, sums, x), {"1"}},
          {"no logits", call(0, kNone, l, sums, x), {}},
          {"no labels", call(0, x, kNone, sums, x), {}},
          {"no sums", call(0, x, l, kNone, x), {}},
          {"no dlogits", call(0, x, l, sums, kNone), {}}};
}

std::vector<WrongCall> wrong_fractions() {
  const auto call = [](View logits, View labels, View y) {
    return [=](Context& context) { fraction_correct(context, logits, labels, y); };
  };
  return {{"logits of rank 4", call(f32({3, 1, 1, 5}), i32({3}), f32({1})), {"[3,1,1,5]"}},
          {"labels as logits", call(f32({3, 5}), f32({3, 5}), f32({1})), {"labels is f32[3,5]"}},
          {"y of each row", call(f32({3, 5}), i32({3}), f32({3})), {"y is f32[3]"}},
          {"no logits", call(kNone, i32({3}), f32({1})), {}},
          {"no labels", call(f32({3, 5}), kNone, f32({1})), {}},
          {"no y", call(f32({3, 5}), i32({3}), kNone), {}}};
}

std::vector<WrongCall> wrong_adams() {
  struct Arrays {
    View step = i64({1}), scale = {}, gradient = f32({7}), w = f32({7}), m = f32({7}), v = f32({7}), compute = {};
  };
  const auto call = [](const Arrays& a) {
    return [=](Context& context) { adam(context, {}, a.step, a.scale, a.gradient, {a.w, a.m, a.v, a.compute}); };
  };
  const auto with = [call](View Arrays::*which, View view) {
    Arrays arrays;
    arrays.*which = view;
    return call(arrays);
  };
  return {{"longer gradient", with(&Arrays::gradient, f32({8})), {"[8]", "[7]"}},
          {"gradient in bf16", with(&Arrays::gradient, bf16({7})), {"bf16[7]"}},
          {"shorter w", with(&Arrays::w, f32({5})), {"[7]", "[5]"}},
          {"longer m", with(&Arrays::m, f32({9})), {"[9]", "[7]"}},
          {"no m", with(&Arrays::m, kNone), {"[7]"}},
          {"v of another rank", with(&Arrays::v, f32({7, 1})), {"[7,1]", "[7]"}},
          {"compute in f32", with(&Arrays::compute, f32({7})), {"f32[7]"}},
          {"longer compute", with(&Arrays::compute, bf16({8})), {"bf16[8]", "[7]"}},
          {"two scales", with(&Arrays::scale, f32({2})), {"[2]"}},
          {"scale in bf16", with(&Arrays::scale, bf16({1})), {"bf16[1]"}},
          {"step of floats", with(&Arrays::step, f32({1})), {"f32[1]"}},
          {"no step", with(&Arrays::step, kNone), {}},
          {"no w", with(&Arrays::w, kNone), {}}};
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

std::vector<WrongCall> wrong_emas() {
  const auto call = [](View w, View average, View step = i64({1})) {
    return [=](Context& context) { ema(context, Schedule(0.9).with_burn_in(3), step, w, average); };
  };
  return {{"step of floats", call(f32({7}), f32({7}), f32({1})), {"f32[1]"}},
          {"no step", call(f32({7}), f32({7}), kNone), {}},
          {"shorter average", call(f32({7}), f32({5})), {"[5]", "[7]"}},
          {"average in bf16", call(f32({7}), bf16({7})), {"bf16[7]"}},
          {"w in bf16", call(bf16({7}), f32({7})), {"bf16[7]"}},
          {"no w", call(kNone, f32({7})), {}},
          {"no average", call(f32({7}), kNone), {"[7]"}}};
}

std::vector<WrongCall> wrong_norms() {
  const auto call = [](View gradient, View y) { return [=](Context& context) { global_norm(context, gradient, y); }; };
  return {{"two norms", call(f32({7}), f32({2})), {"[2]"}},
          {"norm in bf16", call(f32({7}), bf16({1})), {"bf16[1]"}},
          {"gradient in bf16", call(bf16({7}), f32({1})), {"bf16[7]"}},
          {"no gradient", call(kNone, f32({1})), {}},
          {"no norm", call(f32({7}), kNone), {}}};
}

std::vector<WrongCall> wrong_clips() {
  const auto call = [](double most, View norm, View y) {
    return [=](Context& context) { clip_scale(context, most, norm, y); };
  };
  return {
      {"two norms", call(1, f32({2}), f32({1})), {"[2]"}},
      {"two results", call(1, f32({1}), f32({2})), {"[2]"}},
      {"norm in bf16", call(1, bf16({1}), f32({1})), {"bf16[1]"}},
      {"no norm", call(1, kNone, f32({1})), {}},
      {"clipped to nothing", call(0, f32({1}), f32({1})), {"0"}},
      {"clipped to less than nothing", call(-2, f32({1}), f32({1})), {"-2"}},
      {"clipped to what is no number", call(std::numeric_limits<double>::quiet_NaN(), f32({1}), f32({1})), {"nan"}}};
}

std::vector<WrongCall> wrong_stores() {
  const auto call = [](int column, View scalar, View step, View ring) {
    return [=](Context& context) {
      const StoredScalar scalars[] = {{0, f32({1})}, {column, scalar}};
      store_scalars(context, scalars, step, ring);
    };
  };
  const auto many = [](std::size_t count) {
    return [=](Context& context) {
      store_scalars(context, std::vector<StoredScalar>(count, {0, f32({1})}), i64({1}), f32({7, 5}));
    };
  };
  return {{"column behind the last", call(5, f32({1}), i64({1}), f32({7, 5})), {"[7,5]", "5"}},
          {"column before the first", call(-1, f32({1}), i64({1}), f32({7, 5})), {"[7,5]", "-1"}},
          {"ring of rank 1", call(0, f32({1}), i64({1}), f32({7})), {"[7]"}},
          {"ring in bf16", call(0, f32({1}), i64({1}), bf16({7, 5})), {"bf16[7,5]"}},
          {"two scalars", call(0, f32({2}), i64({1}), f32({7, 5})), {"[2]"}},
          {"scalar in bf16", call(0, bf16({1}), i64({1}), f32({7, 5})), {"bf16[1]"}},
          {"step of floats", call(0, f32({1}), f32({1}), f32({7, 5})), {"f32[1]"}},
          {"no scalars", many(0), {"0 scalars"}},
          {"too many scalars", many(17), {"17 scalars"}},
          {"no ring", call(0, f32({1}), i64({1}), kNone), {}}};
}

std::vector<WrongCall> wrong_advances() {
  const auto call = [](View step) { return [=](Context& context) { advance_counter(context, step); }; };
  return {{"step of floats", call(f32({1})), {"f32[1]"}},
          {"two steps", call(i64({2})), {"i64[2]"}},
          {"step of rank 2", call(i64({1, 1})), {"i64[1,1]"}},
          {"no step", call(kNone), {}}};
}

struct BatchNormArrays {
  View x = f32({2, 3, 5}), y = f32({2, 3, 5}), dy = f32({2, 3, 5});
  View gamma = f32({5}), beta = f32({5}), mean = f32({5}), spread = f32({5});  // spread: rstd or the variance
};
using BatchNormCall = std::function<void(Context&, const BatchNorm&, const BatchNormArrays&)>;

std::vector<WrongCall> wrong_batch_norms(const BatchNormCall& op) {
  const auto with = [op](View BatchNormArrays::*which, View view) {
    return [=](Context& context) {
      BatchNormArrays arrays;
      arrays.*which = view;
      op(context, {}, arrays);
    };
  };
  return {{"y of another shape", with(&BatchNormArrays::y, f32({6, 5})), {"f32[6,5]", "f32[2,3,5]"}},
          {"y of another type", with(&BatchNormArrays::y, bf16({2, 3, 5})), {"bf16[2,3,5]", "f32[2,3,5]"}},
          {"x of integers", with(&BatchNormArrays::x, u8({2, 3, 5})), {"u8[2,3,5]"}},
          {"no x", with(&BatchNormArrays::x, kNone), {}},
          {"gamma as long as rows", with(&BatchNormArrays::gamma, f32({6})), {"gamma is f32[6]", "f32[5]"}},
          {"gamma in bf16", with(&BatchNormArrays::gamma, bf16({5})), {"gamma is bf16[5]"}},
          {"mean of rank 2", with(&BatchNormArrays::mean, f32({1, 5})), {"mean is f32[1,5]", "f32[5]"}},
          {"no spread", with(&BatchNormArrays::spread, kNone), {"f32[5]"}}};
}

std::vector<WrongCall> wrong_batch_norm_forwards(const BatchNormCall& op) {
  std::vector<WrongCall> list = wrong_batch_norms(op);
  for (const float epsilon : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    list.push_back({fmt::format("epsilon {}", epsilon),
                    [=](Context& context) {
                      op(context, {epsilon, {}}, {});
                    },
                    {fmt::format("epsilon is {}", epsilon)}});
  }
  list.push_back(
      {"short beta", [=](Context& context) { op(context, {}, {.beta = f32({4})}); }, {"beta is f32[4]", "f32[5]"}});
  return list;
}

std::vector<WrongCall> wrong_batch_norm_backwards() {
  const BatchNormCall op = [](Context& context, const BatchNorm&, const BatchNormArrays& a) {
    batch_norm_backward(context, a.dy, a.x, a.gamma, a.mean, a.spread, a.y, f32({5}), a.beta);
  };
  std::vector<WrongCall> list = wrong_batch_norms(op);
  list.push_back({"dy of another shape",
                  [=](Context& context) {
                    op(context, {}, {.dy = f32({2, 3, 4})});
                  },
                  {"f32[2,3,4]", "f32[2,3,5]"}});
  list.push_back(
      {"dbeta in bf16", [=](Context& context) { op(context, {}, {.beta = bf16({5})}); }, {"dbeta is bf16[5]"}});
  return list;
}

std::vector<WrongCall> wrong_batch_norm_tracks() {
  const auto call = [](const BatchNormTrack& p, View mean, View rstd, View running_mean, View running_variance) {
    return [=](Context& context) { batch_norm_track(context, p, mean, rstd, {running_mean, running_variance}); };
  };
  const View c = f32({5});
  return {{"one row", call({.rows = 1}, c, c, c, c), {"1 rows"}},
          {"no rows", call({}, c, c, c, c), {"0 rows"}},
          {"momentum of a percentage", call({.rows = 8, .momentum = 10}, c, c, c, c), {"momentum is 10"}},
          {"no epsilon", call({.rows = 8, .epsilon = 0}, c, c, c, c), {"epsilon is 0"}},
          {"mean of rank 2", call({.rows = 8}, f32({1, 5}), c, c, c), {"f32[1,5]"}},
          {"mean in bf16", call({.rows = 8}, bf16({5}), c, c, c), {"bf16[5]"}},
          {"shorter rstd", call({.rows = 8}, c, f32({4}), c, c), {"rstd is f32[4]", "f32[5]"}},
          {"longer running_mean", call({.rows = 8}, c, c, f32({6}), c), {"running_mean is f32[6]"}},
          {"no running_variance", call({.rows = 8}, c, c, c, kNone), {"running_variance is"}},
          {"no mean", call({.rows = 8}, kNone, c, c, c), {"mean is"}}};
}

std::map<std::string, std::vector<WrongCall>> wrong_calls() {
  const auto affine_op = [](Context& context, View x, View y) { affine(context, {}, x, y); };
  const auto unary_op = [](Context& context, View x, View y) { unary(context, UnaryKind::softplus, x, y); };
  return {
      {"matmul", wrong_matmuls()},
      {"conv2d_forward", wrong_forwards()},
      {"conv2d_backward_input", wrong_backward_inputs()},
      {"conv2d_backward_weight", wrong_backward_weights()},
      {"bias_act_forward", wrong_bias_act_forwards()},
      {"activation_backward", wrong_activation_backwards()},
      {"bias_backward", wrong_bias_backwards()},
      {"bias_act_backward", wrong_bias_act_backwards()},
      {"conv2d_bias_act_backward", wrong_conv2d_bias_act_backwards()},
      {"batch_norm_forward",
       wrong_batch_norm_forwards([](Context& context, const BatchNorm& p, const BatchNormArrays& a) {
         batch_norm_forward(context, p, a.x, a.gamma, a.beta, a.y, a.mean, a.spread);
       })},
      {"batch_norm_inference",
       wrong_batch_norm_forwards([](Context& context, const BatchNorm& p, const BatchNormArrays& a) {
         batch_norm_inference(context, p, a.x, a.gamma, a.beta, a.mean, a.spread, a.y);
       })},
      {"batch_norm_backward", wrong_batch_norm_backwards()},
      {"batch_norm_track", wrong_batch_norm_tracks()},
      {"add", wrong_pairs([](Context& context, View a, View b, View y) { add(context, a, b, y); })},
      {"multiply", wrong_pairs([](Context& context, View a, View b, View y) { multiply(context, a, b, y); })},
      {"affine", wrong_maps_of_one_type(affine_op)},
      {"unary", wrong_maps_of_one_type(unary_op)},
      {"clamp", wrong_clamps()},
      {"fill", wrong_fills()},
      {"cast", wrong_maps([](Context& context, View x, View y) { cast(context, x, y); })},
      {"shift_flip",
       wrong_moves([](Context& c, const ShiftFlip& p, View x, View step, View y) { shift_flip(c, p, x, step, y); })},
      {"shift_flip_backward", wrong_moves_backward()},
      {"crop_pictures", wrong_crops()},
      {"augment_pictures",
       wrong_augmentations([](Context& c, const AugmentPictures& p, View x, View draws, View probability, View y) {
         augment_pictures(c, p, x, draws, probability, y);
       })},
      {"augment_pictures_backward",
       wrong_augmentations([](Context& c, const AugmentPictures& p, View dy, View draws, View probability, View dx) {
         augment_pictures_backward(c, p, dy, draws, probability, dx);
       })},
      {"resample2d", wrong_resamples()},
      {"gather_rows", wrong_gathers()},
      {"load_rows", wrong_loads()},
      {"random_normal",
       wrong_draws([](Context& context, const Random& p, View step, View y) { random_normal(context, p, step, y); })},
      {"random_uniform",
       wrong_draws([](Context& context, const Random& p, View step, View y) { random_uniform(context, p, step, y); })},
      {"reduce_sum", wrong_reduces()},
      {"broadcast", wrong_broadcasts()},
      {"concat_rows", wrong_concats()},
      {"slice_rows", wrong_slices()},
      {"pad_rows", wrong_pads()},
      {"concat_columns", wrong_column_concats()},
      {"slice_columns", wrong_column_parts([](Context& context, int begin, View part, View whole) {
         slice_columns(context, begin, whole, part);
       })},
      {"pad_columns", wrong_column_parts([](Context& context, int begin, View part, View whole) {
         pad_columns(context, begin, part, whole);
       })},
      {"gate", wrong_gates([](Context& c, View x, View y) { gate(c, x, y); })},
      {"gate_backward", wrong_gates([](Context& c, View x, View dy) { gate_backward(c, dy, x, x); })},
      {"permute", wrong_permutes()},
      {"group_norm_forward", wrong_group_norm_forwards()},
      {"group_norm_backward", wrong_group_norm_backwards()},
      {"pad2d", wrong_margins([](Context& c, const Pad2d& p, View small, View large) { pad2d(c, p, small, large); })},
      {"pad2d_backward",
       wrong_margins([](Context& c, const Pad2d& p, View small, View large) { pad2d_backward(c, p, large, small); })},
      {"grid_sample", wrong_samples([](Context& c, View x, View grid, View y) { grid_sample(c, {}, x, grid, y); })},
      {"grid_sample_backward_input",
       wrong_samples([](Context& c, View dx, View grid, View dy) { grid_sample_backward_input(c, {}, dy, grid, dx); })},
      {"grid_sample_backward_grid", wrong_samples([](Context& c, View x, View grid, View dy) {
         grid_sample_backward_grid(c, {}, dy, x, grid, f32({2, 6, 7, 2}));
       })},
      {"take_rows", wrong_takes()},
      {"scatter_rows", wrong_scatters()},
      {"batched_matmul", wrong_batches()},
      {"softmax", wrong_maps_of_one_type([](Context& context, View x, View y) { softmax(context, x, y); })},
      {"softmax_backward", wrong_softmax_backwards()},
      {"softmax_cross_entropy", wrong_cross_entropies()},
      {"softmax_cross_entropy_backward", wrong_cross_entropy_backwards()},
      {"fraction_correct", wrong_fractions()},
      {"adam", wrong_adams()},
      {"ema", wrong_emas()},
      {"scale_scheduled", wrong_scales()},
      {"small_program", wrong_small_programs()},
      {"global_norm", wrong_norms()},
      {"clip_scale", wrong_clips()},
      {"store_scalars", wrong_stores()},
      {"advance_counter", wrong_advances()}};
}

class RefusalTest : public testing::TestWithParam<std::string> {};

TEST_P(RefusalTest, NamesOperatorAndShapes) {
  const std::string& op = GetParam();
  const std::map<std::string, std::vector<WrongCall>> calls = wrong_calls();
  ASSERT_TRUE(calls.contains(op)) << op << " has no wrong calls; add them to wrong_calls()";
  Context context = Context::cpu(1);
  for (const auto& [what, call, named] : calls.at(op)) {
    try {
      call(context);
      ADD_FAILURE() << op << ": " << what << " is not refused";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), Error::Kind::internal) << message;
      EXPECT_TRUE(message.starts_with(op + ": ")) << what << ": \"" << message << "\" does not begin with " << op;
      for (const std::string& part : named) {
        EXPECT_NE(message.find(part), std::string::npos) << what << ": \"" << message << "\" does not name " << part;
      }
    }
  }
}

// Asked for when the program starts: without the sources (tools/gpu_bundle.sh) the other tests must still run.
std::vector<std::string> operators_of_the_sources() {
  const std::string folder = std::string(source_folder()) + "/kernels";
  return std::filesystem::exists(folder) ? declared_operators(folder) : std::vector<std::string>();
}

INSTANTIATE_TEST_SUITE_P(Operators, RefusalTest, testing::ValuesIn(operators_of_the_sources()),
                         [](const testing::TestParamInfo<std::string>& test) { return test.param; });

TEST(ShapeTest, RefusesExtentsThatCannotBe) {
  EXPECT_THROW(Shape({3, 0}), Error);
  EXPECT_THROW(Shape({-1}), Error);
  EXPECT_THROW(Shape({1, 2, 3, 4, 5}), Error);
}

}  // namespace

}  // namespace duel::test

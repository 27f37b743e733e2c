// Cases of kernels/shift_flip.h. How far pictures are moved, and how evenly, is tested in kernels/shift_flip_test.cpp.
#include "kernels/shift_flip.h"

#include "tests/reference/shift_flip.h"
#include "tests/support/op_case.h"

namespace duel::test::shift_flip_cases {

namespace {

std::string name_of(const ShiftFlip& p) {
  return fmt::format("by{}{}{}", p.pixels, p.flips ? "_mirrored" : "", p.edge == PictureEdge::border ? "_border" : "");
}

OpCase forward_case(const ShiftFlip& p, const Shape& shape, std::int64_t step, DType dtype) {
  return {.op = "shift_flip",
          .name = fmt::format("{}_{}_step{}_{}", name_of_extents(shape), name_of(p), step, name_of(dtype)),
          .inputs = {{"x", shape, dtype, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = shape, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { shift_flip(context, p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::shift_flip(p, shape, in[0], static_cast<std::uint64_t>(in[1][0]));
              },
          .terms = 0};
}

OpCase backward_case(const ShiftFlip& p, const Shape& shape, std::int64_t step, DType dtype) {
  return {.op = "shift_flip_backward",
          .name = fmt::format("{}_{}_step{}_{}", name_of_extents(shape), name_of(p), step, name_of(dtype)),
          .inputs = {{"dy", shape, dtype, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "dx", .shape = shape, .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { shift_flip_backward(context, p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::shift_flip_backward(p, shape, in[0], static_cast<std::uint64_t>(in[1][0]));
              },
          .terms = 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  const Random random{3, Purpose::interpolation};
  const ShiftFlip none{random, 0, false, PictureEdge::value, -1.0F}, mirrored{random, 0, true, PictureEdge::value, 0},
      moved{random, 2, false, PictureEdge::value, -1.0F}, both{random, 3, true, PictureEdge::value, 0.5F},
      border{random, 3, true, PictureEdge::border, 0.5F}, far{random, 65535, true, PictureEdge::value, 2.0F},
      far_border{random, 40, true, PictureEdge::border, 0};
  const Shape shapes[] = {{1, 1, 1, 1}, {3, 5, 7, 1},  {33, 3, 1, 3}, {7, 1, 33, 2},
                          {5, 7, 5, 4}, {33, 4, 4, 1}, {3, 33, 31, 3}};
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape : shapes) {
      for (const ShiftFlip& p : {none, mirrored, moved, both, far}) {
        cases.push_back(forward_case(p, shape, 7, dtype));
        cases.push_back(backward_case(p, shape, 7, dtype));
      }
      cases.push_back(forward_case(border, shape, 7, dtype));
      cases.push_back(forward_case(far_border, shape, 7, dtype));
    }
    for (const std::int64_t step : {std::int64_t{0}, (std::int64_t{1} << 32) - 1, (std::int64_t{5} << 40) + 3}) {
      cases.push_back(forward_case(both, {7, 5, 6, 2}, step, dtype));
      cases.push_back(backward_case(both, {7, 5, 6, 2}, step, dtype));
    }
    cases.push_back(unaligned(forward_case(both, {5, 5, 4, 2}, 1, dtype)));
    cases.push_back(unaligned(backward_case(both, {5, 5, 4, 2}, 1, dtype)));
    cases.push_back(forward_case(both, {2, 64, 65, 4}, 1, dtype));  // more than one block a picture
    cases.push_back(backward_case(both, {2, 64, 65, 4}, 1, dtype));
    for (OpCase c :
         {forward_case(moved, {128, 28, 28, 1}, 1, dtype), forward_case(both, {64, 256, 256, 3}, 1, dtype)}) {
      c.name = "augment_" + c.name;
      c.tags = {"perf"};
      cases.push_back(c);
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::shift_flip_cases

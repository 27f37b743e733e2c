// Cases of kernels/augment_pictures.h. How often each change is made is tested in kernels/augment_pictures_test.cpp.
#include "kernels/augment_pictures.h"

#include "tests/reference/augment_pictures.h"
#include "tests/support/op_case.h"

namespace duel::test::augment_pictures_cases {

namespace {

using Call = void (*)(Context&, const AugmentPictures&, View, View, View, View);
using Reference = Array (*)(const AugmentPictures&, const Shape&, const Array&, const Array&, double);

// Draws near 0, near 1 and at the ends of whole places come first: of them follow the furthest moves.
OpCase make_case(bool is_backward, const std::string& name, const AugmentPictures& p, const Shape& shape,
                 double probability, DType dtype) {
  const Call call = is_backward ? static_cast<Call>(augment_pictures_backward) : static_cast<Call>(augment_pictures);
  const Reference reference = is_backward ? reference::augment_pictures_backward : reference::augment_pictures;
  const bool is_moved_only = p.brightness == 0 && p.saturation == 0 && p.contrast == 0;
  return {.op = is_backward ? "augment_pictures_backward" : "augment_pictures",
          .name = fmt::format("{}_{}_{:.0f}_{}", name_of_extents(shape), name, 100 * probability, name_of(dtype)),
          .inputs = {{is_backward ? "dy" : "x", shape, dtype, normal()},
                     {"draws",
                      {shape[0], kAugmentDraws},
                      DType::f32,
                      with_head({0, 0, 0x1.fffffep-1, 0, 0, 0, 0x1.fffffep-1, 0, 1, 0, 1}, uniform(0, 1))},
                     {"probability", {1}, DType::f32, values({probability})}},
          .outputs = {{.name = is_backward ? "dx" : "y", .shape = shape, .dtype = dtype, .magnitude = 4}},
          .run = [=](Context& context, Views in, Views out) { call(context, p, in[0], in[1], in[2], out[0]); },
          .reference = [=](const Arrays& in, Arrays& out) { out[0] = reference(p, shape, in[0], in[1], in[2][0]); },
          .terms = is_moved_only ? 0 : 4};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const std::string& name, const AugmentPictures& p, const Shape& shape, double probability,
                       DType dtype) {
    for (const bool is_backward : {false, true}) {
      cases.push_back(make_case(is_backward, name, p, shape, probability, dtype));
    }
  };
  AugmentPictures moved, cut, coloured, saturated, all, far;
  moved.shift_rows = 2, moved.shift_columns = 1, moved.mirrors = true;
  cut.hole_rows = 2, cut.hole_columns = 3, cut.mirrors = true;
  coloured.brightness = 0.3F, coloured.contrast = 0.5F;
  saturated.saturation = 1;
  all.shift_rows = 3, all.shift_columns = 2, all.hole_rows = 2, all.hole_columns = 2, all.mirrors = true;
  all.brightness = 0.5F, all.saturation = 0.6F, all.contrast = 0.3F;
  far = all;
  far.shift_rows = far.shift_columns = far.hole_rows = far.hole_columns = 65535;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const Shape& shape :
         {Shape{1, 1, 1, 1}, {3, 5, 7, 1}, {33, 3, 1, 3}, {7, 1, 33, 2}, {5, 7, 5, 4}, {33, 4, 4, 1}, {3, 33, 31, 3}}) {
      add("moved", moved, shape, 0.7, dtype);
      add("cut", cut, shape, 0.7, dtype);
      add("coloured", coloured, shape, 0.7, dtype);
      add("saturated", saturated, shape, 0.7, dtype);
      add("all", all, shape, 0.7, dtype);
    }
    add("all", all, {9, 8, 6, 3}, 0, dtype);
    add("all", all, {9, 8, 6, 3}, 1, dtype);
    add("none", {}, {5, 4, 3, 3}, 1, dtype);
    add("far", far, {33, 5, 4, 2}, 0.3, dtype);
    for (const bool is_backward : {false, true}) {
      cases.push_back(unaligned(make_case(is_backward, "one_off", all, {5, 5, 4, 3}, 0.8, dtype)));
    }
    for (const Shape& shape : {Shape{64, 64, 64, 3}, {128, 28, 28, 1}}) {
      const int rows = shape[1];
      const AugmentPictures product{rows / 8, rows / 8, rows * 3 / 16, rows * 3 / 16, false, 0.3F, 0.6F, 0.3F};
      for (const bool is_backward : {false, true}) {
        cases.push_back(make_case(is_backward, "product", product, shape, 0.5, dtype));
        cases.back().tags = {"perf"};
      }
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::augment_pictures_cases

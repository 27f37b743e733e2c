// Cases of kernels/crop_pictures.h. That all parts are taken, and pairs together, is tested in
// kernels/crop_pictures_test.cpp.
#include "kernels/crop_pictures.h"

#include "tests/reference/crop_pictures.h"
#include "tests/support/op_case.h"

namespace duel::test::crop_pictures_cases {

namespace {

OpCase crop_case(const CropPictures& p, const Shape& shape, std::int64_t step, DType dtype) {
  return {.op = "crop_pictures",
          .name = fmt::format("{}_to_{}x{}x{}{}{}_step{}_{}", name_of_extents(shape), p.height, p.width, p.scale,
                              p.mirrors ? "_mirrored" : "", p.turns ? "_turned" : "", step, name_of(dtype)),
          .inputs = {{"x", shape, dtype, normal()}, {"step", {1}, DType::i64, values({static_cast<double>(step)})}},
          .outputs = {{.name = "y", .shape = crop_pictures_output(p, shape), .dtype = dtype}},
          .run = [=](Context& context, Views in, Views out) { crop_pictures(context, p, in[0], in[1], out[0]); },
          .reference =
              [=](const Arrays& in, Arrays& out) {
                out[0] = reference::crop_pictures(p, shape, in[0], static_cast<std::uint64_t>(in[1][0]));
              },
          .terms = 0};
}

std::vector<OpCase> make_cases() {
  std::vector<OpCase> cases;
  const Random random{3, Purpose::interpolation};
  const auto crop = [&](int height, int width, int scale, bool mirrors, bool turns) {
    return CropPictures{random, height, width, scale, mirrors, turns};
  };
  for (const DType dtype : {DType::f32, DType::bf16}) {
    cases.push_back(crop_case(crop(1, 1, 1, true, true), {1, 1, 1, 1}, 7, dtype));
    cases.push_back(crop_case(crop(1, 1, 1, true, true), {33, 3, 5, 1}, 7, dtype));
    cases.push_back(crop_case(crop(5, 7, 1, false, false), {3, 5, 7, 3}, 7, dtype));
    cases.push_back(crop_case(crop(3, 5, 1, true, false), {7, 5, 7, 3}, 7, dtype));
    cases.push_back(crop_case(crop(5, 5, 1, false, true), {33, 7, 33, 3}, 7, dtype));
    cases.push_back(crop_case(crop(3, 3, 2, true, true), {33, 7, 13, 4}, 7, dtype));
    cases.push_back(crop_case(crop(2, 3, 4, true, false), {5, 8, 33, 1}, 7, dtype));
    for (const std::int64_t step : {std::int64_t{0}, (std::int64_t{1} << 32) - 1, (std::int64_t{5} << 40) + 3}) {
      cases.push_back(crop_case(crop(4, 4, 1, true, true), {7, 5, 6, 2}, step, dtype));
    }
    cases.push_back(unaligned(crop_case(crop(4, 4, 1, true, true), {5, 5, 6, 2}, 1, dtype)));
    cases.push_back(crop_case(crop(33, 33, 2, true, true), {2, 70, 67, 3}, 1, dtype));  // more than one block a picture
    for (OpCase c : {crop_case(crop(96, 96, 1, true, true), {16, 128, 128, 3}, 1, dtype)}) {
      c.name = "patch_" + c.name;
      c.tags = {"perf"};
      cases.push_back(c);
    }
  }
  return cases;
}

const OpCases cases{make_cases};

}  // namespace

}  // namespace duel::test::crop_pictures_cases

// What moves, cuts, colours and samples pictures: wrong calls of each.
#include "kernels/augment_pictures.h"
#include "kernels/crop_pictures.h"
#include "kernels/grid_sample.h"
#include "kernels/pad2d.h"
#include "kernels/resample2d.h"
#include "kernels/shift_flip.h"
#include "tests/support/wrong_calls.h"

#include <limits>

namespace duel::test::refusals_pictures {

namespace {

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

WrongCalls make() {
  return {
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
      {"pad2d", wrong_margins([](Context& c, const Pad2d& p, View small, View large) { pad2d(c, p, small, large); })},
      {"pad2d_backward",
       wrong_margins([](Context& c, const Pad2d& p, View small, View large) { pad2d_backward(c, p, large, small); })},
      {"grid_sample", wrong_samples([](Context& c, View x, View grid, View y) { grid_sample(c, {}, x, grid, y); })},
      {"grid_sample_backward_input",
       wrong_samples([](Context& c, View dx, View grid, View dy) { grid_sample_backward_input(c, {}, dy, grid, dx); })},
      {"grid_sample_backward_grid", wrong_samples([](Context& c, View x, View grid, View dy) {
         grid_sample_backward_grid(c, {}, dy, x, grid, f32({2, 6, 7, 2}));
       })}};
}

const RegisteredWrongCalls calls{make};

}  // namespace

}  // namespace duel::test::refusals_pictures

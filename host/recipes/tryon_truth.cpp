#include "host/recipes/tryon_truth.h"

#include "engine/nn/difference.h"
#include "engine/nn/flow.h"
#include "engine/ops/ops.h"

namespace duel {

namespace {

// Of bytes [N,H,W,1] their high four bits, 0 to 15, found one after the other.
Value high_bits(Program& p, Value bytes) {
  Value rest = bytes, high;
  for (const int bit : {8, 4, 2, 1}) {
    const Value is_set = ops::unary(p, UnaryKind::positive, ops::affine(p, rest, 1, 0.5 - 16 * bit));
    const Value worth = ops::affine(p, is_set, bit);
    high = high.exists() ? ops::add(p, high, worth) : worth;
    rest = ops::add(p, rest, ops::affine(p, is_set, -16 * bit));
  }
  return high;
}

}  // namespace

Value true_flow(Program& p, Value coded) {
  const Program::Scope scope(p, "true_flow");
  const Value bytes = ops::affine(p, coded, 127.5, 127.5);
  const auto channel = [&](int index) { return ops::slice_columns(p, bytes, index, 1); };
  const Value low = channel(2), column_bits = high_bits(p, low);
  const Value row_bits = ops::add(p, low, ops::affine(p, column_bits, -16));
  const auto place = [&](Value high, Value low_bits, int extent) {  // in pixels
    const Value steps = ops::add(p, ops::affine(p, high, 16), low_bits);
    return ops::affine(p, steps, 2.0 / 4095 * extent, -0.5 * extent);
  };
  const Shape s = p.shape(coded);
  const Value places = ops::concat_columns(p, place(channel(0), column_bits, s[2]), place(channel(1), row_bits, s[1]));
  return difference(p, places, pixel_middles(p, s[0], s[1], s[2]));
}

}  // namespace duel

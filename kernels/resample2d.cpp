#include "kernels/resample2d.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <algorithm>

namespace duel {

DUEL_BACKENDS(prepare_resample2d, const Resample2d&, View x, View y);
DUEL_BACKENDS(resample2d, const Resample2d&, View x, View y);

namespace {

void check_resample2d(const Resample2d& p, View x, View y) {
  constexpr const char* kOp = "resample2d";
  check_float(kOp, "x", x);
  check(x.shape.rank() == 4 && y.shape.rank() == 4 && x.dtype == y.dtype && x.shape[0] == y.shape[0] &&
            x.shape[3] == y.shape[3],
        "{}: x is {} and y is {}, but both must be pictures of one type, batch and number of channels", kOp, x, y);
  check(p.up >= 1 && p.down >= 1 && p.count >= 1 && p.count <= Resample2d::kMostTaps && p.pad >= 0 && p.pad < p.count,
        "{}: up is {}, down {}, and padding {} with {} taps, but up and down must be at least 1, taps 1 to {}, and the "
        "padding less than the taps",
        kOp, p.up, p.down, p.pad, p.count, Resample2d::kMostTaps);
}

}  // namespace

Resample2d::Resample2d(int enlarge, int reduce, int padding, std::initializer_list<float> filter)
    : up(enlarge), down(reduce), pad(padding), count(static_cast<int>(filter.size())) {
  check(count <= kMostTaps, "resample2d: {} taps, but at most {} are taken", count, kMostTaps);
  std::copy(filter.begin(), filter.end(), taps);
}

Resample2d nearest_up() {
  return {2, 1, 1, {1, 1}};
}

Resample2d area_down() {
  return {1, 2, 0, {0.5F, 0.5F}};
}

Resample2d bilinear_up() {
  return {2, 1, 2, {0.25F, 0.75F, 0.75F, 0.25F}};
}

Resample2d bilinear_down() {
  return {1, 2, 1, {0.125F, 0.375F, 0.375F, 0.125F}};
}

Resample2d bicubic_down() {
  // Half of the cubic at 1.75, 1.25, 0.75 and 0.25 of its width.
  constexpr float k1 = -0.01171875F, k2 = -0.03515625F, k3 = 0.11328125F, k4 = 0.43359375F;
  return {1, 2, 3, {k1, k2, k3, k4, k4, k3, k2, k1}};
}

Resample2d adjoint(const Resample2d& p) {
  Resample2d result = p;
  result.up = p.down;
  result.down = p.up;
  result.pad = p.count - 1 - p.pad;
  std::reverse(result.taps, result.taps + p.count);
  return result;
}

void prepare_resample2d(Context& context, const Resample2d& p, View x, View y) {
  check_resample2d(p, x, y);
  context.run([&](auto& backend) { prepare_resample2d(backend, p, x, y); });
}

void resample2d(Context& context, const Resample2d& p, View x, View y) {
  check_resample2d(p, x, y);
  context.run([&](auto& backend) { resample2d(backend, p, x, y); });
}

Cost resample2d_cost(const Resample2d& p, View x, View y) {
  const double taps = static_cast<double>(p.count) / p.up;  // that meet a pixel, along one axis
  return {2 * taps * taps * static_cast<double>(y.count()), bytes_of({x, y})};
}

}  // namespace duel

#include "engine/nn/fill_holes.h"

#include "engine/nn/enlarge.h"
#include "engine/ops/ops.h"

#include <vector>

namespace duel {

namespace {

constexpr int kLevels = 5, kSmoothings = 4;
constexpr double kTrust = 4;  // a square of which a quarter is known needs no larger one

// Of a square a colour / weight, and 1 - a.
struct Level {
  Value own, rest;
};

Value halved(Program& p, Value x) {
  return ops::resample2d(p, area_down(), x, p.shape(x)[1] / 2, p.shape(x)[2] / 2);
}

Value smoothed(Program& p, Value x) {
  constexpr float kThird = 1.0F / 3.0F;
  const Resample2d mean_of_nine(1, 1, 0, {kThird, kThird, kThird});
  return ops::resample2d(p, mean_of_nine, ops::pad2d(p, {PadKind::edge, 1, 1, 1, 1}, x), p.shape(x)[1], p.shape(x)[2]);
}

Value mixed(Program& p, const Level& level, Value v) {
  return ops::add(p, ops::multiply(p, v, level.rest), level.own);
}

}  // namespace

Value fill_holes(Program& p, Value x, Value known) {
  const Program::Scope scope(p, "fill");
  known = ops::cast(p, known, DType::f32);
  Value sum = ops::multiply(p, ops::cast(p, x, DType::f32), known), weight = known;
  std::vector<Level> levels = {{sum, ops::affine(p, known, -1.0, 1.0)}};
  Value mean = sum;
  for (int i = 0; i < kLevels && p.shape(sum)[1] % 2 == 0 && p.shape(sum)[2] % 2 == 0; ++i) {
    sum = halved(p, sum);
    weight = halved(p, weight);
    constexpr double kLeast = 1e-6;  // of a square without a known pixel the sum is 0 too
    mean = ops::multiply(p, sum, ops::unary(p, UnaryKind::reciprocal, ops::clamp(p, weight, kLeast, 1)));
    const Value trust = ops::clamp(p, ops::affine(p, weight, kTrust), 0, 1);
    levels.push_back({ops::multiply(p, mean, trust), ops::affine(p, trust, -1.0, 1.0)});
  }
  Value v = mean;
  for (auto level = levels.rbegin() + 1; level != levels.rend(); ++level) {
    v = mixed(p, *level, enlarge_bilinearly(p, v, 2));
    for (int i = 0; i < kSmoothings; ++i) {
      v = mixed(p, *level, smoothed(p, v));
    }
  }
  return v;
}

}  // namespace duel

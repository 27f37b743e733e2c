// Reference of kernels/scale_scheduled.h, and of the schedules themselves: their closed forms.
#pragma once

#include "kernels/schedule.h"
#include "tests/reference/array.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace duel::test::reference {

inline double schedule_value(const Schedule& s, std::int64_t step) {
  const double length = static_cast<double>(s.end - s.begin);
  const double u = length > 0 ? std::clamp(static_cast<double>(step - s.begin) / length, 0.0, 1.0) : 0.0;
  double value = s.from;
  switch (s.shape) {
    case Schedule::Shape::constant: break;
    case Schedule::Shape::linear: value = s.from + (s.to - s.from) * u; break;
    case Schedule::Shape::cosine: value = s.to + (s.from - s.to) * (0.5 + 0.5 * std::cos(std::numbers::pi * u)); break;
    case Schedule::Shape::exponential: value = s.from * std::pow(s.to / s.from, u); break;
  }
  const double now = static_cast<double>(step);
  if (s.burn_in > 0) {
    value = std::min(value, now / (now + static_cast<double>(s.burn_in)));
  }
  return s.warm_up > 0 ? value * std::min(1.0, now / static_cast<double>(s.warm_up)) : value;
}

inline Array scale_scheduled(const Schedule& scale, double step, Array x) {
  const double value = schedule_value(scale, static_cast<std::int64_t>(step));
  for (double& element : x) {
    element *= value;
  }
  return x;
}

}  // namespace duel::test::reference

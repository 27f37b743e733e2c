#include "kernels/schedule.h"

#include "kernels/check.h"

#include <cmath>

namespace duel {

namespace {

Schedule between(Schedule::Shape shape, double from, double to, std::int64_t begin, std::int64_t end) {
  Schedule schedule(from);
  schedule.shape = shape;
  schedule.to = to;
  schedule.begin = begin;
  schedule.end = end;
  return schedule;
}

}  // namespace

Schedule Schedule::linear(double from, double to, std::int64_t begin, std::int64_t end) {
  return between(Shape::linear, from, to, begin, end);
}

Schedule Schedule::cosine(double from, double to, std::int64_t begin, std::int64_t end) {
  return between(Shape::cosine, from, to, begin, end);
}

Schedule Schedule::exponential(double from, double to, std::int64_t begin, std::int64_t end) {
  Schedule schedule = between(Shape::exponential, from, to, begin, end);
  schedule.log_ratio = std::log(to / from);
  return schedule;
}

Schedule Schedule::half_life(double batch, double half_life, std::int64_t burn_in) {
  return Schedule(std::exp2(-batch / half_life)).with_burn_in(burn_in);
}

Schedule Schedule::with_warm_up(std::int64_t steps) const {
  Schedule schedule = *this;
  schedule.warm_up = steps;
  return schedule;
}

Schedule Schedule::with_burn_in(std::int64_t steps) const {
  Schedule schedule = *this;
  schedule.burn_in = steps;
  return schedule;
}

void check_schedule(std::string_view name, const Schedule& s, double least, double most) {
  constexpr Error::Kind kKind = Error::Kind::usage;
  if (s.warm_up < 0 || s.burn_in < 0) {
    throw_error(kKind, "{}: {} steps of warm-up and {} of burn-in, but neither may be negative", name, s.warm_up,
                s.burn_in);
  }
  const bool changes = s.shape != Schedule::Shape::constant;
  for (const double value : {s.from, changes ? s.to : s.from}) {
    if (!std::isfinite(value) || value < least || value > most) {
      throw_error(kKind, "{}: {:g} is not in the range [{:g}, {:g}] (it is {})", name, value, least, most,
                  to_string(s));
    }
  }
  if (s.warm_up > 0 && (least > 0 || most < 0)) {
    throw_error(kKind, "{}: a warm-up begins at 0, which is not in the range [{:g}, {:g}]", name, least, most);
  }
  if (!changes) {
    return;
  }
  if (s.begin < 0 || s.end <= s.begin) {
    throw_error(kKind, "{}: {} from step {} to step {}, but it must end behind its beginning, which is at least 0",
                name, name_of(s.shape), s.begin, s.end);
  }
  if (s.shape == Schedule::Shape::exponential && !(s.from * s.to > 0)) {
    throw_error(kKind, "{}: exponential from {:g} to {:g}, but both must be positive or both negative", name, s.from,
                s.to);
  }
  if (s.shape == Schedule::Shape::exponential && !(std::fabs(s.log_ratio - std::log(s.to / s.from)) < 1e-9)) {
    throw_error(kKind, "{}: exponential from {:g} to {:g} has the logarithm {:g}; make it with Schedule::exponential",
                name, s.from, s.to, s.log_ratio);
  }
}

const char* name_of(Schedule::Shape shape) {
  switch (shape) {
    case Schedule::Shape::constant: return "constant";
    case Schedule::Shape::linear: return "linear";
    case Schedule::Shape::cosine: return "cosine";
    case Schedule::Shape::exponential: return "exponential";
  }
  throw Error(Error::Kind::internal, "name_of: unknown shape of a schedule");
}

std::string to_string(const Schedule& s) {
  std::string text = s.shape == Schedule::Shape::constant ? fmt::format("constant {:g}", s.from)
                                                          : fmt::format("{} from {:g} to {:g} in steps {} to {}",
                                                                        name_of(s.shape), s.from, s.to, s.begin, s.end);
  if (s.burn_in > 0) {
    text += fmt::format(", burn-in {}", s.burn_in);
  }
  if (s.warm_up > 0) {
    text += fmt::format(", warm-up {}", s.warm_up);
  }
  return text;
}

}  // namespace duel

#include "host/config/schedule_option.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

using Shape = ScheduleOption::Shape;

constexpr double kMostSteps = 1e12;

bool is_extent(double value) {
  return (value >= 0 && value <= 1) || (value > 1 && value <= kMostSteps && value == std::floor(value));
}

std::int64_t steps_of(double extent, std::int64_t steps) {
  return std::llround(extent <= 1 ? extent * static_cast<double>(steps) : extent);
}

bool is_within(double value, const ScheduleRange& range) {
  return value >= range.low && (range.below_high ? value < range.high : value <= range.high);
}

}  // namespace

const std::vector<std::string_view>& schedule_shapes() {
  static const std::vector<std::string_view> names = {"constant", "linear", "cosine", "exponential", "half_life"};
  return names;
}

const std::vector<ScheduleField>& schedule_fields() {
  using O = ScheduleOption;
  static const std::vector<ScheduleField> fields = {
      {"from", &O::from, true, false, false},           {"to", &O::to, false, false, false},
      {"half_life", &O::half_life, false, true, false}, {"begin", &O::begin, false, false, true},
      {"until", &O::until, false, false, true},         {"warmup", &O::warmup, true, false, true},
      {"burn_in", &O::burn_in, true, true, true}};
  return fields;
}

Schedule resolve(std::string_view name, const ScheduleOption& option, std::int64_t steps, int batch) {
  const std::int64_t begin = steps_of(option.begin, steps);
  std::int64_t end = steps_of(option.until, steps);
  if (option.begin <= 1 && option.until <= 1) {
    end = std::max(end, begin + 1);  // shares of a short run may be less than a step
  }
  Schedule schedule;
  switch (option.shape) {
    case Shape::constant: schedule = Schedule(option.from); break;
    case Shape::linear: schedule = Schedule::linear(option.from, option.to, begin, end); break;
    case Shape::cosine: schedule = Schedule::cosine(option.from, option.to, begin, end); break;
    case Shape::exponential: schedule = Schedule::exponential(option.from, option.to, begin, end); break;
    case Shape::half_life: schedule = Schedule::half_life(batch, option.half_life); break;
  }
  schedule = schedule.with_warm_up(steps_of(option.warmup, steps)).with_burn_in(steps_of(option.burn_in, steps));
  check_schedule(name, schedule);
  return schedule;
}

std::string why_impossible(const ScheduleOption& option, const ScheduleRange& range) {
  for (const ScheduleField& field : schedule_fields()) {
    const double value = option.*field.member;
    if (!field.is_of(option.shape)) {
      continue;
    }
    if (field.is_extent && !is_extent(value)) {
      return fmt::format("{} = {} must be a share of the run from 0 to 1, or an integer above 1, which counts steps",
                         field.name, value);
    }
    if ((field.name == "from" || field.name == "to") && !is_within(value, range)) {
      return fmt::format("{} = {} must be a number from {} to {}{}", field.name, value, range.low,
                         range.below_high ? "below " : "", range.high);
    }
  }
  if (option.shape == Shape::half_life && !(option.half_life > 0 && option.half_life <= kMostSteps)) {
    return fmt::format("half_life = {} must be a number of pictures above 0, at most {}", option.half_life, kMostSteps);
  }
  if (!range.is_of_average && (option.shape == Shape::half_life || option.burn_in > 0)) {
    return "half_life and burn_in are of a moving average, which this is not";
  }
  if (option.shape == Shape::exponential && !(option.from > 0 && option.to > 0)) {
    return fmt::format("exponential from {} to {}: both must be above 0", option.from, option.to);
  }
  const bool comparable = (option.begin > 1) == (option.until > 1);
  if (comparable && option.until <= option.begin) {
    return fmt::format("it begins at {} and ends at until = {}, which is not behind that", option.begin, option.until);
  }
  return "";
}

}  // namespace duel

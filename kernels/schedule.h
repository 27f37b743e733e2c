// A number that changes with the step: a learning rate, a decay, a penalty's weight. It is a function of the step
// alone, worked out by the kernel that needs it: no launch, no memory, nothing to store in a checkpoint.
//
//   shape         value(step), with u = (step - begin) / (end - begin), held to [0, 1]
//   constant      from
//   linear        from + (to - from) u
//   cosine        to + (from - to) (1 + cos(pi u)) / 2        Loshchilov & Hutter (2017), one period
//   exponential   from (to / from)^u                          the same factor every step
//
//   burn_in > 0   min(value, step / (step + burn_in)): a moving average that starts from what it averages
//   warm_up > 0   times step / warm_up while step < warm_up: linear from 0
//
// Before `begin` the value is `from`, from `end` on it is `to`, both exactly; a constant is exactly itself. In between
// it is within a few units of the last place of f64 on every backend, as both use the arithmetic below. Steps count
// from 0, so the first one's value is 0 under a warm-up or a burn-in.
#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

namespace duel {

struct Schedule {
  enum class Shape { constant, linear, cosine, exponential };

  Shape shape = Shape::constant;
  double from = 0, to = 0;
  std::int64_t begin = 0, end = 0;        // steps
  std::int64_t warm_up = 0, burn_in = 0;  // steps, 0: none
  double log_ratio = 0;                   // of exponential: log(to / from)

  constexpr Schedule() = default;
  constexpr Schedule(double value) : from(value), to(value) {}  // a number is a constant

  // From step `begin` to step `end`. They check nothing: check_schedule does.
  static Schedule linear(double from, double to, std::int64_t begin, std::int64_t end);
  static Schedule cosine(double from, double to, std::int64_t begin, std::int64_t end);
  static Schedule exponential(double from, double to, std::int64_t begin, std::int64_t end);
  // The decay with which a moving average forgets half in `half_life` pictures, `batch` of them a step:
  // 0.5^(batch / half_life), as in StyleGAN. With a burn-in the average follows the weights at first.
  static Schedule half_life(double batch, double half_life, std::int64_t burn_in = 0);

  Schedule with_warm_up(std::int64_t steps) const;
  Schedule with_burn_in(std::int64_t steps) const;

  // Whether the value depends on the step.
  constexpr bool changes() const { return shape != Shape::constant || warm_up > 0 || burn_in > 0; }

  bool operator==(const Schedule&) const = default;
};

// Throws kind `usage` with one sentence that begins with `name` (the key that asked for it) where the shape cannot be:
// an end that is not behind its beginning, an exponential through zero, a number that is not finite, or a value outside
// [least, most] at either end.
void check_schedule(std::string_view name, const Schedule& schedule,
                    double least = -std::numeric_limits<double>::infinity(),
                    double most = std::numeric_limits<double>::infinity());

const char* name_of(Schedule::Shape shape);
std::string to_string(const Schedule& schedule);  // "cosine from 0.0005 to 0.0001 in steps 0 to 7000"

namespace schedule {

// sin(pi/2 x) for x in [0, 1]: its Taylor series, the first term left out below 2^-60.
constexpr double quarter_sine(double x) {
  constexpr double kHalfPi = 1.5707963267948966;
  const double angle = kHalfPi * x, square = angle * angle;
  double sum = 1;
  for (const double inverse :
       {1.0 / (22 * 23), 1.0 / (20 * 21), 1.0 / (18 * 19), 1.0 / (16 * 17), 1.0 / (14 * 15), 1.0 / (12 * 13),
        1.0 / (10 * 11), 1.0 / (8 * 9), 1.0 / (6 * 7), 1.0 / (4 * 5), 1.0 / (2 * 3)}) {
    sum = 1 - sum * square * inverse;
  }
  return angle * sum;
}

// exp(x) for |x| < 700: 2^k exp(r) with |r| <= log(2) / 2, whose Taylor series ends below 2^-56.
constexpr double exponential(double x) {
  constexpr double kLog2High = 0x1.62e42fefa38p-1, kLog2Low = 0x1.ef35793c7673p-45;  // their sum is log(2)
  const double turns = x * 1.4426950408889634;
  const auto k = static_cast<std::int64_t>(turns < 0 ? turns - 0.5 : turns + 0.5);
  const double r = x - static_cast<double>(k) * kLog2High - static_cast<double>(k) * kLog2Low;
  double sum = 1;
  for (const double inverse : {1.0 / 14, 1.0 / 13, 1.0 / 12, 1.0 / 11, 1.0 / 10, 1.0 / 9, 1.0 / 8, 1.0 / 7, 1.0 / 6,
                               1.0 / 5, 1.0 / 4, 1.0 / 3, 1.0 / 2, 1.0}) {
    sum = 1 + sum * r * inverse;
  }
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

}  // namespace schedule

constexpr double value_at(const Schedule& s, std::int64_t step) {
  double value = s.from;
  if (s.shape == Schedule::Shape::constant) {
    // as it is
  } else if (step >= s.end) {
    value = s.to;
  } else if (step > s.begin) {
    const double u = static_cast<double>(step - s.begin) / static_cast<double>(s.end - s.begin);
    if (s.shape == Schedule::Shape::linear) {
      value = s.from + (s.to - s.from) * u;
    } else if (s.shape == Schedule::Shape::cosine) {
      const double root = schedule::quarter_sine(1 - u);  // (1 + cos(pi u)) / 2 = sin(pi/2 (1 - u))^2
      value = s.to + (s.from - s.to) * root * root;
    } else {
      value = s.from * schedule::exponential(s.log_ratio * u);
    }
  }
  if (s.burn_in > 0) {
    const double most = static_cast<double>(step) / static_cast<double>(step + s.burn_in);
    value = value < most ? value : most;
  }
  return step < s.warm_up ? value * (static_cast<double>(step) / static_cast<double>(s.warm_up)) : value;
}

}  // namespace duel

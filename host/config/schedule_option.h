// A number of the configuration that may change while the run goes on, as a person writes it:
//
//   5e-4                                                       that number throughout
//   {from = 5e-4, to = 1e-4, shape = "cosine"}                 half a period of a cosine, over the whole run
//   {from = 0.5, to = 0.1, shape = "exponential", until = 0.8} the same factor every step, then 0.1
//   {from = 5e-4, warmup = 1000}                               linear from 0 over 1,000 steps, then 5e-4
//   {half_life = 10000, burn_in = 10}                          of a moving average, which forgets half in 10,000
//   pictures
//
//   shape     constant, linear, cosine, exponential or half_life. Where it is not said: linear where there is a `to`,
//             half_life where there is a `half_life`, else constant
//   begin     until then the value is `from`; 0 where it is not said
//   until     from then on it is `to`; 1, the end of the run, where it is not said
//   warmup    times step / warmup before that; 0: none
//   burn_in   of a moving average: at most step / (step + burn_in), so that it soon follows what it averages; 0: none
//
// begin, until, warmup and burn_in are shares of the run from 0 to 1, or integers above 1, which count steps.
#pragma once

#include "kernels/check.h"
#include "kernels/schedule.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct ScheduleOption {
  enum class Shape { constant, linear, cosine, exponential, half_life };

  Shape shape = Shape::constant;
  double from = 0, to = 0;                               // of a constant both are the number
  double half_life = 0;                                  // pictures
  double begin = 0, until = 1, warmup = 0, burn_in = 0;  // shares or steps

  constexpr ScheduleOption() = default;
  constexpr ScheduleOption(double number) : from(number), to(number) {}

  bool operator==(const ScheduleOption&) const = default;

  bool is_number() const {  // the same in every step
    return shape == Shape::constant && warmup == 0 && burn_in == 0;
  }
  bool is_zero() const { return shape == Shape::constant && from == 0; }
  double number() const {  // of one that is_number()
    check(is_number(), "ScheduleOption: a schedule was read as a number");
    return from;
  }
};

const std::vector<std::string_view>& schedule_shapes();  // by the number of their Shape

// The numbers that a schedule can have, and the shapes that have each: "to" of linear, cosine and exponential.
struct ScheduleField {
  std::string_view name;
  double ScheduleOption::*member;
  bool of_constant, of_half_life;  // the other shapes have all but half_life
  bool is_extent;                  // a share or steps
  bool is_of(ScheduleOption::Shape shape) const {
    return shape == ScheduleOption::Shape::constant    ? of_constant
           : shape == ScheduleOption::Shape::half_life ? of_half_life
                                                       : member != &ScheduleOption::half_life;
  }
};
const std::vector<ScheduleField>& schedule_fields();

// What numbers a key allows.
struct ScheduleRange {
  double low, high;
  bool below_high = false;     // high itself is not allowed
  bool is_of_average = false;  // only then half_life and burn_in
};

// What it comes to in a run of so many steps, of `batch` pictures each. Throws kind `usage`, with a sentence that
// begins with `name`, where shares and steps together make an end that is not behind its beginning.
Schedule resolve(std::string_view name, const ScheduleOption& option, std::int64_t steps, int batch);

// Why there is no such schedule, as the end of a sentence with the values in it; "" where there is one.
std::string why_impossible(const ScheduleOption& option, const ScheduleRange& range);

}  // namespace duel

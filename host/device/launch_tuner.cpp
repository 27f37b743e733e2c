#include "host/device/launch_tuner.h"

#include <fmt/format.h>

#include <algorithm>

namespace duel {

namespace {

constexpr double kAlike = 1.02;

}  // namespace

LaunchTuner::LaunchTuner(const Launch& fewest, const Launch& most) : fewest_(fewest), most_(most) {
  for (int steps = fewest.steps; steps <= most.steps; steps *= 2) {
    trials_.push_back({{steps, most.lanes}});
  }
}

int LaunchTuner::steps_to_time() const {
  return std::max(32, 4 * candidate().steps);
}

void LaunchTuner::record(double seconds_per_step) {
  trials_[next_++].seconds_per_step = seconds_per_step;
  if (is_done() && trials_.back().launch.lanes != fewest_.lanes) {
    trials_.push_back({{best().steps, fewest_.lanes}});
  }
}

const LaunchTuner::Trial* LaunchTuner::best_trial() const {
  const auto timed = trials_.begin() + static_cast<std::ptrdiff_t>(next_);
  const auto on_most =
      std::find_if(trials_.begin(), timed, [&](const Trial& trial) { return trial.launch.lanes != most_.lanes; });
  const auto quickest = std::min_element(
      trials_.begin(), on_most, [](const Trial& a, const Trial& b) { return a.seconds_per_step < b.seconds_per_step; });
  const auto found = std::find_if(trials_.begin(), on_most, [&](const Trial& trial) {
    return trial.seconds_per_step <= kAlike * quickest->seconds_per_step;
  });
  if (found == on_most) {
    return nullptr;
  }
  const bool are_fewer_lanes_as_good =
      on_most != timed && on_most->seconds_per_step <= kAlike * found->seconds_per_step;
  return are_fewer_lanes_as_good ? &*on_most : &*found;
}

LaunchTuner::Launch LaunchTuner::best() const {
  const Trial* const trial = best_trial();
  return trial == nullptr ? fewest_ : trial->launch;
}

std::string LaunchTuner::report() const {
  const auto text_of = [](const Trial& trial) {
    return fmt::format("{} step{} a launch on {} lane{}: {:.4g} ms a step", trial.launch.steps,
                       trial.launch.steps == 1 ? "" : "s", trial.launch.lanes, trial.launch.lanes == 1 ? "" : "s",
                       1e3 * trial.seconds_per_step);
  };
  const Trial* const chosen = best_trial();
  std::string text = "launches: " + (chosen == nullptr ? "nothing was measured" : "chosen " + text_of(*chosen));
  for (std::size_t i = 0; i < next_; ++i) {
    text += &trials_[i] == chosen ? "" : "; " + text_of(trials_[i]);
  }
  return text;
}

}  // namespace duel

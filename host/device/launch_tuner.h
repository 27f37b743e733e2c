// Finds out, from steps that are trained anyway, how many a launch had best hold, and whether a step is quicker on
// several lanes (engine/program/lanes.h).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

class LaunchTuner {
public:
  struct Launch {
    int steps = 1, lanes = 1;
    bool operator==(const Launch&) const = default;
  };

  // Tries `fewest.steps`, twice as many, ... up to `most.steps`, each on most.lanes; and then the best of these on
  // fewest.lanes, where that is another number.
  LaunchTuner(const Launch& fewest, const Launch& most);

  bool is_done() const { return next_ == trials_.size(); }
  const Launch& candidate() const { return trials_[next_].launch; }
  // Steps to time the candidate with, after one launch that is not timed: it may capture a graph.
  int steps_to_time() const;
  void record(double seconds_per_step);

  // The fewest steps of those within 2 % of the quickest: short launches let whatever is due come in time. Fewer lanes
  // unless more are quicker by 2 %. The fewest of both before any was timed.
  Launch best() const;
  std::string report() const;  // what was chosen and how long a step took: for a log

private:
  struct Trial {
    Launch launch;
    double seconds_per_step = 0;
  };
  const Trial* best_trial() const;  // null before any was timed

  Launch fewest_, most_;
  std::vector<Trial> trials_;
  std::size_t next_ = 0;
};

}  // namespace duel

// Finds out, from steps that are trained anyway, how many a launch had best hold.
#pragma once

#include <vector>

namespace duel {

class LaunchTuner {
public:
  // Tries 1, 2, 4, ... up to `most`.
  explicit LaunchTuner(int most);

  bool is_done() const { return next_ == trials_.size(); }
  int candidate() const { return trials_[next_].steps_per_launch; }
  // Steps to time the candidate with, after one launch that is not timed: it may capture a graph.
  int steps_to_time() const;
  void record(double seconds_per_step);

  // The fewest of those within 2 % of the quickest: short launches let whatever is due come in time. 1 before any was
  // timed.
  int best() const;

private:
  struct Trial {
    int steps_per_launch;
    double seconds_per_step;
  };
  std::vector<Trial> trials_;
  std::size_t next_ = 0;
};

}  // namespace duel

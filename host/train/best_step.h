// Which of a run's evaluations was the best, and how many there were since. It follows from the evaluations alone, so
// that a run which goes on, and reads them in metrics.jsonl, knows what one that was never interrupted knows.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace duel {

class BestStep {
public:
  struct Evaluated {
    std::int64_t step = 0;
    double value = 0;  // the lower the better
  };

  // Of a later step than those before. Returns whether it is the best now: lower than all others. What is no finite
  // number never is.
  bool add(std::int64_t step, double value);
  // Its checkpoint could not be kept, so that it is none of those that may be the best.
  void lose(std::int64_t step);

  const std::optional<Evaluated>& best() const { return best_; }
  // Evaluations behind the best, all where there is none.
  int since_best() const;

private:
  struct Entry {
    Evaluated evaluated;
    bool is_lost = false;
  };

  void find_best();

  std::vector<Entry> entries_;
  std::optional<Evaluated> best_;
};

}  // namespace duel

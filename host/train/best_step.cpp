#include "host/train/best_step.h"

#include <algorithm>
#include <cmath>

namespace duel {

bool BestStep::add(std::int64_t step, double value) {
  entries_.push_back({{step, value}, !std::isfinite(value)});
  find_best();
  return best_ && best_->step == step;
}

void BestStep::lose(std::int64_t step) {
  for (Entry& entry : entries_) {
    entry.is_lost = entry.is_lost || entry.evaluated.step == step;
  }
  find_best();
}

int BestStep::since_best() const {
  return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return !best_ || entry.evaluated.step > best_->step;
  }));
}

void BestStep::find_best() {
  best_.reset();
  for (const Entry& entry : entries_) {
    if (!entry.is_lost && (!best_ || entry.evaluated.value < best_->value)) {
      best_ = entry.evaluated;
    }
  }
}

}  // namespace duel

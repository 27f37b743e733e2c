#include "host/train/run_evaluation.h"

#include "host/device/timing.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

namespace duel {

namespace {

constexpr const char* kKid = "kid";
constexpr const char* kFrechet = "frechet";
constexpr const char* kKidFloor = "kid_floor";
constexpr const char* kFrechetFloor = "frechet_floor";

std::optional<double> number_of(const MetricsRow& row, const std::string& name) {
  for (const auto& [its, value] : row.metrics) {
    if (its == name) {
      return value;
    }
  }
  return std::nullopt;
}

// Of the same comparison: other devices and threads round otherwise, other pictures and extractors differ more.
bool is_same_floor(double a, double b) {
  return std::abs(a - b) <= 1e-3 * std::max(std::abs(a), std::abs(b));
}

}  // namespace

RunEvaluation::RunEvaluation(const Options::Evaluate& options, PictureJudge& judge, const RunDirectory& run,
                             std::span<const MetricsRow> kept, std::int64_t first_step)
    : options_(options), judge_(judge), run_(run) {
  const Judgement& floor = judge.floor();
  notes_.push_back(fmt::format("every {} steps: {}; real pictures in their place: kid {:.4g}, frechet {:.4g}",
                               options.every, judge.text(), floor.kid, floor.frechet));
  recall(kept);
  if (keeps_best()) {
    settle(first_step);
  }
}

bool RunEvaluation::is_figure(const std::string& name) {
  return name == kKid || name == kFrechet;
}

double RunEvaluation::wanted(const Judgement& judgement) const {
  return options_.keep_best == kFrechet ? judgement.frechet : judgement.kid;
}

void RunEvaluation::recall(std::span<const MetricsRow> kept) {
  bool had_other = false;
  for (const MetricsRow& row : kept) {
    if (const std::optional<double> floor = number_of(row, kFrechetFloor)) {
      had_other = had_other || has_floor_;
      best_ = BestStep();
      has_floor_ = is_same_floor(*floor, judge_.floor().frechet);
      had_other = had_other || !has_floor_;
    }
    const std::optional<double> kid = number_of(row, kKid), frechet = number_of(row, kFrechet);
    if (has_floor_ && kid && frechet) {
      best_.add(row.step, wanted({*kid, *frechet}));
    }
  }
  if (had_other && !has_floor_) {
    notes_.push_back("what evaluations compare has changed, so that the earlier ones do not count for the best");
  }
}

void RunEvaluation::settle(std::int64_t first_step) {
  const std::vector<std::int64_t> steps = run_.checkpoints();
  while (best_.best() && !std::binary_search(steps.begin(), steps.end(), best_.best()->step)) {
    best_.lose(best_.best()->step);
  }
  const std::optional<std::int64_t> named = run_.best_checkpoint();
  if (best_.best() && named != best_.best()->step) {
    run_.set_best(best_.best()->step);
  } else if (!best_.best() && named && *named > first_step) {
    run_.set_best(std::nullopt);  // of a future that is not this one's
  }
}

RunEvaluation::Result RunEvaluation::evaluate(std::int64_t step) {
  const Clock::time_point begin = Clock::now();
  const Judgement judgement = judge_.judge();
  Result result;
  result.numbers = {{kKid, judgement.kid}, {kFrechet, judgement.frechet}};
  if (!has_floor_) {
    const Judgement& floor = judge_.floor();
    result.numbers.insert(result.numbers.end(), {{kKidFloor, floor.kid}, {kFrechetFloor, floor.frechet}});
    has_floor_ = true;
  }
  result.text = fmt::format("step {}: kid {:.4g}, frechet {:.4g} ({:.1f} s)", step, judgement.kid, judgement.frechet,
                            seconds_since(begin));
  if (!keeps_best()) {
    return result;
  }
  const std::lock_guard lock(mutex_);
  result.is_best = best_.add(step, wanted(judgement));
  if (result.is_best) {
    result.text += ", the best so far";
  } else if (best_.best()) {
    result.text += fmt::format(", the best is {:.4g} of step {}", best_.best()->value, best_.best()->step);
  }
  return result;
}

bool RunEvaluation::has_plateaued() const {
  const std::lock_guard lock(mutex_);
  return options_.stop_when == "plateau" && best_.since_best() >= options_.patience;
}

std::string RunEvaluation::end_text() const {
  const std::lock_guard lock(mutex_);
  return keeps_best() && best_.best() ? fmt::format("the best {} {:.4g} is of step {}", options_.keep_best,
                                                    best_.best()->value, best_.best()->step)
                                      : "";
}

void RunEvaluation::note_saved(std::int64_t step) {
  const std::lock_guard lock(mutex_);
  if (best_.best() && best_.best()->step == step) {
    run_.set_best(step);
  }
}

void RunEvaluation::note_unsaved(std::int64_t step) {
  const std::lock_guard lock(mutex_);
  best_.lose(step);
}

}  // namespace duel

// The evaluations of a run while it trains: what is said and logged of them, which checkpoint is the best, and when
// nothing better comes any more.
//
// A row of metrics.jsonl with the figures of an evaluation has "kid" and "frechet"; the first one of a run has
// "kid_floor" and "frechet_floor" too. So has the first one behind a change of what is compared, as of the extractor,
// which the floor shows: only what follows it can be compared with what comes.
#pragma once

#include "host/config/options.h"
#include "host/run/metrics_log.h"
#include "host/run/run_directory.h"
#include "host/sample/held_out.h"
#include "host/train/best_step.h"
#include "host/train/picture_judge.h"

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace duel {

class RunEvaluation {
public:
  // The judge, attached, and the run outlive this. `kept`: the rows of a run that goes on behind `first_step`. Puts
  // `best` in the run's folder right, where a kill or a person who went back has left it behind.
  RunEvaluation(const Options::Evaluate& options, PictureJudge& judge, const RunDirectory& run,
                std::span<const MetricsRow> kept, std::int64_t first_step);

  struct Result {
    std::vector<NamedNumber> numbers;  // for the row of the step
    std::string text;                  // for the log
    bool is_best = false;              // its checkpoint has to be kept
  };
  // Of the state behind a step; nothing may change the weights meanwhile.
  Result evaluate(std::int64_t step);

  std::vector<std::string> notes() const { return notes_; }  // for the beginning of the log
  static bool is_figure(const std::string& name);            // of those that a person wants to see again
  bool has_plateaued() const;
  std::string end_text() const;  // of the best: "the best kid 0.0123 is of step 500"; or ""

  // From any thread: the checkpoint of a step is in place, or could not be written.
  void note_saved(std::int64_t step);
  void note_unsaved(std::int64_t step);

private:
  bool keeps_best() const { return options_.keep_best != "none"; }
  double wanted(const Judgement& judgement) const;
  void recall(std::span<const MetricsRow> kept);
  void settle(std::int64_t first_step);

  Options::Evaluate options_;
  PictureJudge& judge_;
  const RunDirectory& run_;
  std::vector<std::string> notes_;
  bool has_floor_ = false;  // in a row that counts
  mutable std::mutex mutex_;
  BestStep best_;
};

}  // namespace duel

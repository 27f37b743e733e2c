// How well a run's network makes pictures of what they were spoilt to, beside what is given to it.
#pragma once

#include "host/data/restoration_scores.h"
#include "host/evaluate/held_out_request.h"

#include <cstdint>
#include <string>

namespace duel {

struct RestorationEvaluation {
  std::string run, data, degrade;  // degrade: "x2", or "pairs of FOLDER"
  std::int64_t step = 0;
  Shape input, picture;  // [1,H,W,C]
  RestorationScores scores;
};

// Whether a run of the recipe makes pictures of what they were spoilt to.
bool is_of_restoration(const std::string& recipe);

// Of all pictures of a source that the settings name, otherwise of those that the run's own data keep out of training.
// Throws kind `usage` where the run's network is of other pictures or another enlargement, `data` for a run or data
// that cannot be read or keep nothing out of training.
RestorationEvaluation evaluate_restoration(const HeldOutRequest& request);

std::string to_text(const RestorationEvaluation& evaluation);

}  // namespace duel

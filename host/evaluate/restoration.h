// How well a run's network makes pictures of what they were spoilt to, beside what is given to it.
#pragma once

#include "host/config/configuration.h"
#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/data/restoration_scores.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct RestorationRequest {
  std::string run;
  // Keys of the configuration, data.source and the like. Where they name a source, all of its pictures are measured;
  // otherwise those that the run's own data keep out of training.
  std::vector<Setting> settings;
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the weights as trained instead of their moving average
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};
};

struct RestorationEvaluation {
  std::string run, data, degrade;  // degrade: "x2", or "pairs of FOLDER"
  std::int64_t step = 0;
  Shape input, picture;  // [1,H,W,C]
  RestorationScores scores;
};

// Whether the run makes pictures of pictures: otherwise it is evaluated as evaluate.h does. Throws kind `data` where it
// cannot be read.
bool is_of_restoration(const std::string& run);

// Throws kind `usage` where the run's network is of other pictures or another enlargement, `data` for a run or data
// that cannot be read or keep nothing out of training.
RestorationEvaluation evaluate_restoration(const RestorationRequest& request);

std::string to_text(const RestorationEvaluation& evaluation);

}  // namespace duel

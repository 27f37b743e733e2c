// How good are the pictures of a run, or of a folder, beside the data's: from a request to all figures.
#pragma once

#include "host/config/configuration.h"
#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/evaluate/evaluation.h"
#include "host/train/training_run.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct EvaluationRequest {
  // What is evaluated: one of the two.
  std::string run;       // its generator's pictures
  std::string pictures;  // those of a folder, decoded as the data are
  // Keys of the configuration, data.source and the like: the data, for a run the ones it was trained on otherwise.
  std::vector<Setting> settings;
  std::string extractor;  // "classifier:RUN", "onnx:FILE", "pixels"; "": default_extractor.h
  std::string fold = "auto";
  std::int64_t count = 10'000;       // pictures of each set at most
  std::uint64_t seed = 0;            // of the generated pictures, and of which real ones are taken
  std::optional<std::int64_t> step;  // of the run's checkpoint; the latest where there is none
  bool raw = false;                  // the generator as trained instead of its moving average
  bool by_class = false;             // it is an error where there are no classes
  std::string copies = "auto";       // what is near: "pixels", or "features" too; "auto": kMostFeatureSearch
  std::string sheet;                 // PNG file for the pairs of generated and training pictures that are most alike
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};                    // while photographs are decoded
  std::function<void(const std::string&)> say = [](const std::string&) {};     // a line before what takes long
  std::function<TrainingResult(const TrainingRequest&)> train = run_training;  // of the default extractor
};

// Of more training pictures "auto" does not search copies by features: all of them must go through the extractor.
inline constexpr std::int64_t kMostFeatureSearch = 10'000;

// None where a signal came while an extractor was trained. Throws kind `usage` for a request that cannot be meant or
// does not fit the data, `data` for a run, data or pictures that cannot be read or are too few, `device` for too little
// memory.
std::optional<Evaluation> evaluate(const EvaluationRequest& request);

}  // namespace duel

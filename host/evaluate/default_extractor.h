// The extractor where none is named: a classifier that was trained on the same data, once, and is kept.
//
// It is a run of its own in the cache (cache_folder.h), extractors/NAME, by the preset for classifiers of such data.
// NAME is the checksum of the rows and of every option that the training reads, so that other data, and another recipe
// of a later version, make another one. An interrupted training goes on where it ended.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/train/training_run.h"

#include <filesystem>
#include <functional>
#include <string>

namespace duel {

// The preset for classifiers of such data.
std::string classifier_preset(const Source& training);

struct DefaultExtractor {
  std::filesystem::path run;
  bool is_interrupted = false;  // a signal came while it was trained
};

// Trains it by `train` where it is not there yet, and says so first, a line, through `say`. `data` are the options that
// opened `training`; `where` are device, threads and kernels. Throws kind `usage` where the data have no labels, or a
// single class, and kind `data` where there is no place for a cache.
DefaultExtractor default_extractor(const Options::Data& data, const Source& training, const Options& where,
                                   const std::function<TrainingResult(const TrainingRequest&)>& train,
                                   const std::function<void(const std::string&)>& say);

}  // namespace duel

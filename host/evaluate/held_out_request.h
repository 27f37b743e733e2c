// What is asked of a run whose pictures are made of others, each of which has its own truth.
#pragma once

#include "host/config/configuration.h"
#include "host/config/device_request.h"
#include "host/data/decode_photographs.h"
#include "host/run/run_directory.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct HeldOutRequest {
  std::string run;
  // Keys of the configuration, data.source and the like: what is measured in the place of the run's own data.
  std::vector<Setting> settings;
  std::optional<std::int64_t> step;  // of the checkpoint; the latest where there is none
  bool raw = false;                  // the weights as trained instead of their moving average
  DeviceRequest where;
  std::function<void(const DecodeProgress&)> progress = {};
};

// Of the run as it is at a checkpoint.
Options options_of(const RunDirectory& run, const std::filesystem::path& checkpoint);

// "gan", "restore" and so on, by which a run is evaluated. Throws kind `data` where it cannot be read.
std::string recipe_of(const std::string& folder);

}  // namespace duel

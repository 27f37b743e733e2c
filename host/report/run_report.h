// What a report says of one run, gathered from its folder. Whatever cannot be read is named in `problems` and costs
// nothing else; a run that still trains is read as it lies there.
#pragma once

#include "host/config/device_request.h"
#include "host/config/option_changes.h"
#include "host/config/options.h"
#include "host/data/confusion.h"
#include "host/data/data_report.h"
#include "host/data/decode_photographs.h"
#include "host/report/curves.h"
#include "host/report/evaluation.h"
#include "host/report/run_log.h"
#include "host/report/sheets.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace duel {

enum class RunState : std::uint8_t {
  training,     // a process trains into the folder
  done,         // ended with all its steps
  interrupted,  // by a signal, behind a checkpoint
  failed,       // by an error
  silent        // without a word: killed, or the machine went down
};
const char* state_name(RunState state);  // "training"

struct RunReport {
  std::string name;  // of the folder
  std::string path;  // absolute
  RunState state = RunState::silent;
  std::int64_t step = 0, planned_steps = 0;  // 0: nobody knows
  double seconds = 0;
  std::optional<double> pictures_per_second = {};  // over the last tenth of the rows

  std::optional<Options> options = {};  // none where config.toml cannot be read
  std::string config_text = {};         // as it stands
  // From the built-in preset that the options name to the options; none where it names no such preset.
  std::optional<std::vector<OptionChange>> changes = {};
  std::vector<std::pair<std::string, std::string>> environment = {};

  std::vector<Curve> curves = {};
  std::vector<HealthMark> health = {};
  RunLog log = {};
  std::vector<SheetSeries> sheets = {};
  std::vector<std::string> sheet_classes = {};  // which the rows of the sheets take in turn; none: no classes
  ReadEvaluation evaluation = {};
  std::string trained_on = {};  // "2772 pictures of 64x64x3, crc32c ..."
  std::optional<DataReport> data = {};
  std::optional<Confusion> confusion = {};
  std::int64_t confusion_step = 0;
  std::vector<std::string> problems = {};  // a sentence each
};

struct GatherRequest {
  std::string run;
  bool reads_data = true;  // opens the data set, for what it is and for what a classifier makes of held-out pictures
  std::size_t most_sheets = 60;                              // of each kind
  std::uintmax_t sheet_bytes = 24ULL << 20;                  // of all sheets
  DeviceRequest where = {};                                  // of the classifier
  std::function<void(const DecodeProgress&)> progress = {};  // of photographs that were not decoded yet
};

// Throws kind `data` where the folder has nothing of a run.
RunReport gather_run(const GatherRequest& request);

}  // namespace duel

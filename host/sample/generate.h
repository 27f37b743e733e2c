// Pictures from the generator of a finished or running run: single PNGs, or one sheet.
#pragma once

#include "host/run/run_directory.h"
#include "host/sample/generate_request.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

namespace duel {

struct Generated {
  int count = 0;          // pictures
  std::int64_t step = 0;  // of the checkpoint that drew them
};

// Picture i of a seed and class does not depend on how many are asked for, nor a picture of a list of seeds on the
// list. Where each picture is of one class, its folder gets a table of them, labels.csv: file,label. Throws kind
// `usage` for a request that cannot be meant, `data` for a run that cannot be read, and `device` where the device has
// too little memory.
Generated generate(const GenerateRequest& request);

// Calls `read` with the folder of the checkpoint of that step, or of the latest one. A training beside this may prune
// it at any moment: where it has gone while `read` failed, the one that is the latest by then is read instead, unless
// that step was asked for. Returns the step.
std::int64_t read_checkpoint_of(const RunDirectory& run, std::optional<std::int64_t> step,
                                const std::function<void(const std::filesystem::path&)>& read);

}  // namespace duel

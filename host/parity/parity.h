// A recorded trajectory replayed: how far each step lies from the record; beside that, how far the recording program
// lies from it in float32.
#pragma once

#include "host/config/device_request.h"
#include "host/parity/replay.h"
#include "host/parity/trajectory.h"
#include "kernels/context.h"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ParityReport {
  std::filesystem::path file;
  int recorded_steps = 0;
  std::string recorder, preset, loss;
  int batch = 0;
  Shape picture;                  // [1,H,W,C]
  std::string device, precision;  // of the replay
  Bounds bounds{};
  std::vector<ReplayedStep> steps;
  std::string doubt;                // why two right programs may disagree about a gradient of this record, or ""
  const ReplayedStep* off() const;  // the first that is beyond a bound, or null
};

// Calls `each` behind every step with the report so far.
ParityReport replay_all(Context& context, const Trajectory& trajectory, const std::string& precision,
                        const Bounds& bounds, const std::function<void(const ParityReport&)>& each = {});

struct ParityRequest {
  std::string file;
  DeviceRequest where;   // of the replay, and its precision
  double tolerance = 0;  // of everything; 0: default_bounds(precision)
};

// The same on the device that is asked for.
ParityReport run_parity(const ParityRequest& request, const std::function<void(const ParityReport&)>& each = {});

}  // namespace duel

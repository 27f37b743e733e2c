// Which device the options mean, and the context on it.
#pragma once

#include "engine/program/lanes.h"
#include "host/config/device_name.h"
#include "host/config/device_request.h"
#include "host/config/options.h"
#include "host/device/device_queue.h"
#include "kernels/context.h"

#include <memory>
#include <string>

namespace duel {

// What "auto" comes to: "cuda:0" where a GPU can be opened, else "cpu"; other names as they are.
std::string resolve_device(const std::string& device);
// Why "auto" came to a CPU, as a clause for a log: "no GPU: no NVIDIA driver is installed"; "" otherwise.
std::string why_not_cuda(const std::string& device);

// Opens what request.device says, on a CPU with request.threads, or default_threads() where that is 0; f32 products may
// be TF32 where request.precision is "tf32". Throws kind `device` where there is no such device.
Context make_context(const DeviceRequest& request);
inline Context make_context(const Options& options) {
  return make_context(device_request(options));
}

// What the options came to here: the device, threads and libraries, as comments for config.toml. Nobody reads them
// back, so that the run can be resumed on another machine.
std::string resolved_comments(Context& context, const Options& options);

// On how many lanes of the device (kernels/context.h) a step is planned: options.schedule.lanes, or where that is 0 as
// many as there are; on a CPU 1.
int planned_lanes(Context& context, const Options& options);
// The same, with the costs that a probe of the context's device gave, where one is remembered (device_probe.h).
LaneRequest lane_request(Context& context, const Options& options);

// What a scheduler gives its work to on the context's device. `graphs`: a GPU captures steps once and replays them.
std::unique_ptr<DeviceQueue> make_device_queue(Context& context, bool graphs);

}  // namespace duel

// Which device, and how: what of the options a context is opened by.
#pragma once

#include "host/config/options.h"

#include <string>

namespace duel {

struct DeviceRequest {  // as the members of Options of these names
  std::string device = "auto";
  int threads = 0;
  std::string kernels = "auto";
  std::string precision = "fp32";
  int lanes = 0;
};

inline DeviceRequest device_request(const Options& options) {
  return {options.device, options.threads, options.kernels, options.precision, options.schedule.lanes};
}

}  // namespace duel

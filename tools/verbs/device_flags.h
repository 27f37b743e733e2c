// Options of the command line that say on which device, for verbs that take no other keys of the configuration.
#pragma once

#include "host/config/device_request.h"

#include <CLI/CLI.hpp>

namespace duel {

class DeviceFlags {
public:
  void declare(CLI::App& verb);           // --device, --threads
  void declare_numerics(CLI::App& verb);  // --precision, --kernels
  DeviceRequest resolve() const { return device_request(options_); }

private:
  Options options_;
};

}  // namespace duel

// Options of the command line that say what a device can do: measured, a known device's, or given.
#pragma once

#include "host/ceilings.h"
#include "host/options.h"

#include <CLI/CLI.hpp>

#include <string>

namespace duel {

class CeilingFlags {
public:
  void declare(CLI::App& verb);
  // Opens and measures the device that the options name only where nothing else was asked for.
  Ceilings resolve(const Options& options) const;

private:
  std::string name_ = "measured";
  double bandwidth_ = 0, tflops_ = 0;
};

}  // namespace duel

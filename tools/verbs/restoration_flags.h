// What `duel enlarge`, `duel repair` and `duel translate` have in common: which photographs, by which run, into which
// folder, and what is printed of it.
#pragma once

#include "host/restore/restore_photographs.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"

#include <CLI/CLI.hpp>

namespace duel {

class RestorationFlags {
public:
  explicit RestorationFlags(RestorePhotographs::Verb verb) { request_.verb = verb; }

  void declare(CLI::App& verb, const char* trained_by);  // the preset, or several
  void declare_job(CLI::App& verb);
  void declare_mask(CLI::App& verb);
  int run();  // the exit code

private:
  RestorePhotographs request_;
  StepFlag step_;
  DeviceFlags device_;
  bool json_ = false;
};

}  // namespace duel

#include "tools/verbs/step_flag.h"

#include "host/config/decimal.h"
#include "host/run/run_directory.h"
#include "kernels/check.h"
#include "tools/verbs/value_flags.h"

namespace duel {

namespace {

constexpr const char* kBest = "best";

}  // namespace

void StepFlag::declare(CLI::App& verb) {
  option_ = add_text(verb, "--step", text_,
                     "of the run's checkpoint: a number, or best, of a run that keeps its best; otherwise the latest");
}

std::optional<std::int64_t> StepFlag::resolve(const std::string& run) const {
  if (!is_given()) {
    return std::nullopt;
  }
  if (text_ == kBest) {
    return RunDirectory::open_for_reading(run).require_best_checkpoint();
  }
  const std::optional<std::int64_t> step = decimal_integer<std::int64_t>(text_);
  if (!step || *step < 0 || *step > kMostSteps) {
    throw_error(Error::Kind::usage, "--step {}: must be an integer from 0 to {}, or best", text_, kMostSteps);
  }
  return step;
}

}  // namespace duel

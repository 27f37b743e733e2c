// The update that the options ask for.
#pragma once

#include "host/config/options.h"
#include "host/recipes/step_recorder.h"

#include <cstdint>
#include <string>

namespace duel {

// `key`: the learning rate's, for errors. `steps`: of the run, which schedules follow. `loss`, `norm`: the metrics.
UpdateRule adam_rule(const Options& options, std::int64_t steps, const char* key, const ScheduleOption& learning_rate,
                     const std::string& loss, const std::string& norm);

}  // namespace duel

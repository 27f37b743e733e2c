// What `duel train --dry-run` prints.
#pragma once

#include "host/train/training_run.h"

namespace duel {

void print_plan(const RunPlan& plan);
void print_plan_json(const RunPlan& plan);

}  // namespace duel

#pragma once

#include "engine/program/program.h"

namespace duel {

// a - b, of one shape and type.
Value difference(Program& p, Value a, Value b);

}  // namespace duel

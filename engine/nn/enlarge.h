#pragma once

#include "engine/program/program.h"

namespace duel {

// Pictures [N,H,W,C] of `scale` times the height and width, bilinear, their edge repeated (PyTorch's interpolate,
// align_corners=false); scale 2 to 5.
Value enlarge_bilinearly(Program& program, Value pictures, int scale);

}  // namespace duel

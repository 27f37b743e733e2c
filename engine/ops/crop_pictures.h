// Parts of data, of which no derivative flows back: kernels/crop_pictures.h.
#pragma once

#include "engine/program/program.h"
#include "kernels/crop_pictures.h"

namespace duel::ops {

Value crop_pictures(Program&, const CropPictures&, Value x, Value step);

}  // namespace duel::ops

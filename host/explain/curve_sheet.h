// The curves of deletion and insertion as a sheet for a person.
#pragma once

#include "host/explain/explained.h"
#include "host/pictures/png.h"

namespace duel {

Picture draw_curves(const Explained& explained);  // RGB; of one that has tested maps

}  // namespace duel

#pragma once

#include "host/pictures/png.h"

namespace duel {

// How colourful a picture of at least three channels looks: Hasler and Suesstrunk, "Measuring colorfulness in natural
// images", 2003, the metric M^(3) of section 7, of values of 0 to 255. 0 where it is grey.
double colourfulness(const Picture& picture);

}  // namespace duel

// Pictures smoothed by a Gaussian, to four standard deviations a side; beyond its border a picture is mirrored, its
// outermost pixels repeated. As scipy.ndimage.gaussian_filter with its defaults, but rounded to bytes once, at the end.
#pragma once

#include "host/pictures/png.h"

namespace duel {

Picture gaussian_blurred(const Picture& picture, double deviation);  // in pixels, above 0

}  // namespace duel

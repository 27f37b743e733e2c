// A projection in words.
#pragma once

#include "host/latents/projection.h"

#include <string>
#include <vector>

namespace duel {

// What a person is told of it.
std::string to_text(const Projection& projection);

// Whether training pictures are found better than held-out ones, as a sentence: the means of their PSNR, the
// difference, and twice its standard error. "" with fewer than two of either.
std::string compare_folds(const std::vector<ProjectedPicture>& pictures);

}  // namespace duel

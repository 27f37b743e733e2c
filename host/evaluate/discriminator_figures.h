// What the discriminator of a run makes of the pictures: whether it tells generated ones from real ones.
#pragma once

#include "host/evaluate/evaluation.h"
#include "host/evaluate/measured_run.h"
#include "kernels/context.h"

#include <vector>

namespace duel {

// Its accuracy and the gap of its logits, the reference against the generated pictures, and beside them against the
// floor's: where that is below an even guess, it knows training pictures by heart. As it was trained, since no average
// of its weights is kept, and of pictures of whole bytes. None of a run without a discriminator; without values of one
// by class where a picture is of no class that it knows.
std::vector<Figure> discriminator_figures(Context& context, const MeasuredRun& run);

}  // namespace duel

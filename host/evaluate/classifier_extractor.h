// The features and the probabilities that the classifier of a run makes, a recipe with those two outputs.
#pragma once

#include "host/data/source.h"
#include "host/evaluate/extractor.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

#include <memory>
#include <string>

namespace duel {

// Of its latest checkpoint. `training`: the pictures that the data train on; it has seen them where they, or the name
// of their source, are what it was trained on. The context outlives it. Throws kind `usage` for the run of another
// recipe and for pictures [1,H,W,C] of another size than it takes, kind `data` for a run that cannot be read.
std::unique_ptr<Extractor> make_classifier_extractor(Context& context, const std::string& run, const Shape& picture,
                                                     const Source& training);

}  // namespace duel

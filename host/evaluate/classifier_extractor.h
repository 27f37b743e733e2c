// The features and the probabilities that the classifier of a run makes, a recipe with those two outputs.
#pragma once

#include "host/evaluate/extractor.h"
#include "kernels/context.h"
#include "kernels/tensor.h"

#include <memory>
#include <string>

namespace duel {

// Of its latest checkpoint. `training`: which rows the data train on (Source::fingerprint). The context outlives it.
// Throws kind `usage` for the run of another recipe and for pictures [1,H,W,C] of another size than it takes, kind
// `data` for a run that cannot be read.
std::unique_ptr<Extractor> make_classifier_extractor(Context& context, const std::string& run, const Shape& picture,
                                                     const std::string& training);

}  // namespace duel

// A classifier: one network that tells the class of a picture, trained on the labels of main/label.
//
//   main   pictures x with labels l; each picture moved and mirrored by draws of its own (options.augment); softmax
//          cross-entropy with label smoothing; one AdamW update
//
// On rows that are held out it measures held_out_accuracy, the share whose most probable class is the label's, and
// reports the confusion table. Its sampling gives for each picture the probabilities of the classes, and the features
// that the last layer tells them by.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Network "classifier"; draws "pictures" (of main/picture and main/label) and "moves".
// `steps`: of the run, for schedules. Throws kind `usage` where the source has no labels.
std::unique_ptr<Recipe> make_classify(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel

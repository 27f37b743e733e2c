// A classifier: one network that tells the class of a picture, trained on the labels of main/label; or where
// data.target is "attributes", its tags, trained on main/attributes.
//
//   main   pictures x with targets; each picture moved and mirrored by draws of its own, and changed by augment.policy
//          (augmentation.h); softmax cross-entropy with label smoothing, of tags binary cross-entropy where they are
//          known (engine/nn/tag_loss.h); one AdamW update. The metric accuracy is the share of labels, or of known
//          tags, that are told
//
// On rows that are held out it measures held_out_accuracy, the share whose most probable class is the label's, and
// reports the confusion table and the calibration; of tags held_out_average_precision and held_out_f1, means over the
// tags (host/data/tag_scores.h), and reports them one by one. Its sampling gives for each picture the probabilities of
// the classes or tags, and the features that the last layer tells them by.
#pragma once

#include "host/config/options.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <memory>

namespace duel {

// Network "classifier"; draws "pictures" (of main/picture and the target), "moves" and "changes".
// `steps`: of the run, for schedules. Throws kind `usage` where the source has no such target, or one class only.
std::unique_ptr<Recipe> make_classify(const Options& options, const Fields& fields, std::int64_t steps);

}  // namespace duel

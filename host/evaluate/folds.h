// Which real pictures generated ones are compared with, and which real ones show what the figures can reach.
//
// The reference are pictures that the generator was not trained on, where the data hold some out. Beside every figure
// stands its floor: the same figure of other real pictures in the place of the generated ones, equally many and of the
// same classes. They are training pictures where the reference is held out; but an extractor that was trained on them
// sees them otherwise than new ones, and then the reference is one half of its fold and the floor the other.
#pragma once

#include "host/evaluate/picture_set.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct FoldRequest {
  std::string fold = "auto";           // "held-out", "train", or "auto": held-out where there is such
  bool has_extractor_trained = false;  // on the training pictures
  std::int64_t most = 10'000;          // pictures of each
  std::uint64_t seed = 0;              // of which are taken
};

struct Folds {
  std::vector<SourceRow> reference, floor;  // equally many, each in a drawn order
  std::string fold;                         // "held out", "training"
  std::string reference_text, floor_text;   // which pictures of it, in words
};

// `held_out` may be null. Throws kind `usage` for another name of a fold, and kind `data` where the fold is asked for
// and there is none, or has fewer than two pictures.
Folds plan_folds(const Source& training, const Source* held_out, const FoldRequest& request);

}  // namespace duel

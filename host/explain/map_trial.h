// Maps on trial: the curves of deletion and insertion of each method beside those of a random map, on pictures with
// labels that training never saw.
#pragma once

#include "host/explain/explained_network.h"

#include <cstdint>
#include <vector>

namespace duel {

struct TrialPictures {
  std::string name;             // "64 of the 296 pictures held out of shop"
  std::vector<float> values;    // [N,H,W,C]
  std::vector<Question> asked;  // of each its label
};

// So many of what the run's data keep out of training, spread over all of them. Throws kind `data` where there are none
// with labels.
TrialPictures trial_pictures(const ExplainRequest& request, const ExplainedNetwork& network);

// Each of the methods, then "random". `network` takes derivatives.
std::vector<Explained::Tested> try_maps(Context& context, const ExplainRequest& request, const ExplainedNetwork& its,
                                        const AnsweringNetwork& network, const std::vector<Method>& methods,
                                        const TrialPictures& pictures);

}  // namespace duel

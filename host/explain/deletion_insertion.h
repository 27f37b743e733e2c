// How faithful a map is to its network: the pixels that it calls important are taken from the picture, the most
// important first, or put into a picture without detail, and the probability of the class is watched (Petsiuk, Das &
// Saenko, "RISE: randomized input sampling for explanation of black-box models", 2018, section 4.3). A map that says
// what the network goes by lets it fall early in the one and rise early in the other.
#pragma once

#include "host/explain/answering_network.h"

#include <functional>
#include <span>
#include <vector>

namespace duel {

struct FaithfulnessCurves {
  std::vector<double> shares;                    // of the pixels that are changed: 0 to 1
  std::vector<double> deletion, insertion;       // the mean probability at each
  double deletion_area = 0, insertion_area = 0;  // under them, by the trapezoidal rule: little and much are good
};

// `importance`: [N,H,W], the greatest first; equal ones go from the top left on. Deleted pixels become grey, and
// insertion begins from the blurred picture (integrated_gradients.h). `parts`: into which a picture is divided.
// `probability` of a logit that is asked about, from the logits of its row.
using Probability = std::function<double(std::span<const float> logits, int logit)>;
FaithfulnessCurves deletion_insertion(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                      std::span<const float> importance, int parts, const Probability& probability);

}  // namespace duel

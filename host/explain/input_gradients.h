// Input gradients: what the smallest change of each number of a picture does to the logit (Simonyan, Vedaldi &
// Zisserman, "Deep inside convolutional networks", 2014, section 3).
#pragma once

#include "host/explain/answering_network.h"

#include <vector>

namespace duel {

// [N,H,W,C]: the derivative of each picture's logit. The network takes derivatives, here and in the other methods.
std::vector<float> input_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions);

}  // namespace duel

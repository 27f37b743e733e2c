// Grad-CAM: where in its last map a network found what speaks for the logit (Selvaraju et al., "Grad-CAM: visual
// explanations from deep networks via gradient-based localization", 2017, equations 1 and 2).
#pragma once

#include "host/explain/answering_network.h"

#include <vector>

namespace duel {

// [N,h,w] of the last map's places: max(0, sum over channels of the mean of the channel's derivative times the
// channel). The network has a map.
std::vector<float> grad_cam(Context& context, const AnsweringNetwork& network, const Questions& questions);

}  // namespace duel

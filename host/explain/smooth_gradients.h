// SmoothGrad: the mean of input gradients over noisy copies of a picture, in which what changes from pixel to pixel
// cancels (Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017).
#pragma once

#include "host/explain/answering_network.h"

#include <cstdint>
#include <vector>

namespace duel {

struct Smoothing {
  int samples = 32;     // noisy copies of each picture
  double sigma = 0.15;  // of the noise, as a share of the range of a picture's numbers, which is 2
  std::uint64_t seed = 0;
};

// [N,H,W,C]. Every picture gets the same noise, so that its result does not depend on the others.
std::vector<float> smooth_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                    const Smoothing& smoothing);

}  // namespace duel

// Attention of a picture's pixels to one another (Zhang et al., "Self-attention generative adversarial networks", 2019,
// section 3), with every weight spectrally normalised (spectral_norm.h):
//
//   q = x Wq + bq, k = x Wk + bk, v = x Wv + bv      1x1 convolutions, of a pixel's C channels to C/8, C/8 and C
//   a[i,j] = softmax over j of q[i] k[j];  o[i] = sum over j of a[i,j] v[j];  y = x + gamma o
//
// The picture must have at least 8 channels; gamma, one number, starts at 0. Memory: H W numbers for each pixel.
#pragma once

#include "engine/nn/layers.h"
#include "engine/nn/network.h"

#include <string>

namespace duel {

class Attention {
public:
  Attention(Parameters& parameters, const std::string& name, int channels, Scheme scheme);
  Value operator()(const Pass& pass, Value x) const;  // [N,H,W,C], and the result alike

private:
  std::string name_;
  Conv query_, key_, value_;
  int gamma_;
};

}  // namespace duel

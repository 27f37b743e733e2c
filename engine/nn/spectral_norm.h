// Spectral normalisation (Miyato et al., "Spectral normalization for generative adversarial networks", 2018,
// algorithm 1): a weight over its largest singular value, which one step of the power iteration a pass keeps up with.
#pragma once

#include "engine/nn/network.h"

#include <string>

namespace duel {

// weight / sigma, in the weight's type. The weight [K,...] counts as a matrix of K rows:
//
//   v = W^T u / |W^T u|;  u' = W v / |W v|;  sigma = u'^T W v
//
// u is the state "NAME/u" f32 [K], which starts at ones; training leaves u' there. u and v are constants to
// derivatives. Outside of training sigma is |W^T u| / |u|, and the state stays.
Value normalize_spectrally(const Pass& pass, const std::string& name, Value weight);

// A layer's output, by such a weight.
template <class Layer, class... More>
Value run_normalized(const Pass& pass, const Layer& layer, Value x, More... more) {
  const Value weight = normalize_spectrally(pass, layer.name(), layer.weight(pass.weights));
  return layer(pass.program, pass.weights, x, more..., weight);
}

}  // namespace duel

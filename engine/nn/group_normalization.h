// Layers of kernels/group_norm.h, with a trained scale and shift for each channel.
#pragma once

#include "engine/nn/parameters.h"
#include "kernels/activation.h"

#include <string>

namespace duel {

// y = gamma h + beta, h the numbers of each pixel (or row) of x normalised among themselves.
class LayerNormalization {
public:
  LayerNormalization(Parameters& parameters, const std::string& name, int channels, float epsilon = 1e-5F);
  Value operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  std::string name_;
  int gamma_, beta_;
  float epsilon_;
};

// y = act(gamma h + beta), h each channel of each picture normalised by itself. A picture of one pixel is all beta.
class InstanceNormalization {
public:
  InstanceNormalization(Parameters& parameters, const std::string& name, int channels,
                        const Activation& activation = {});
  Value operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  std::string name_;
  int gamma_, beta_;
  Activation activation_;
};

}  // namespace duel

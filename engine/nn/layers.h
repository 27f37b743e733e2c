// Layers: parameters declared once, and the nodes they record.
#pragma once

#include "engine/nn/parameters.h"
#include "kernels/activation.h"
#include "kernels/conv2d.h"

#include <string>

namespace duel {

// y = act(x w + b). x [N,I] in the network's type, w [I,O], b [O]; y in `out`.
class Dense {
public:
  Dense(Parameters& parameters, const std::string& name, int inputs, int outputs, const Activation& activation);
  Value operator()(Program& program, const BoundParameters& weights, Value x, DType out) const;

private:
  std::string name_;
  int weight_, bias_;
  Activation activation_;
};

// y = act(conv(x, w) + b), padding "same". x [N,H,W,C], w [K,R,R,C], b [K].
class ConvSame {
public:
  ConvSame(Parameters& parameters, const std::string& name, int channels, int filters, int kernel,
           const Activation& activation);
  Value operator()(Program& program, const BoundParameters& weights, Value x) const;

private:
  std::string name_;
  int weight_, bias_, kernel_;
  Activation activation_;
};

}  // namespace duel

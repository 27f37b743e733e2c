// A network: its parameters, and how a program computes its outputs from them.
#pragma once

#include "engine/nn/named_state.h"
#include "engine/nn/parameters.h"

#include <span>
#include <string>
#include <vector>

namespace duel {

// One way through a network.
struct Pass {
  Program& program;
  const BoundParameters& weights;
  const NamedState& state;
  bool training = true;  // false: batch norm takes its running statistics, dropout drops nothing
};

class Network {
public:
  explicit Network(const std::string& name) : parameters_(name) {}
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Records the forward pass. Arithmetic and activations have the type of the first input.
  virtual std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const = 0;

  // Whether a row of the output depends on other rows of the inputs, as batch norm and minibatch statistics make it.
  // Two batches are then never put through as one.
  virtual bool mixes_rows() const { return false; }

  const std::string& name() const { return parameters_.network(); }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

private:
  Parameters parameters_;
};

}  // namespace duel

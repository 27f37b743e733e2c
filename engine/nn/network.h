// A network: its parameters, and how a program computes its output from them.
#pragma once

#include "engine/nn/parameters.h"

#include <memory>
#include <string>
#include <vector>

namespace duel {

class Network {
public:
  explicit Network(const std::string& name) : parameters_(name) {}
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Records the forward pass. Arithmetic and activations have the type of `input`.
  virtual Value forward(Program& program, const BoundParameters& weights, Value input) const = 0;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

private:
  Parameters parameters_;
};

// A generator, [N,latent] -> [N,H,W,C] in [-1,1], and a discriminator, [N,H,W,C] -> logits f32 [N,1].
struct GanModel {
  int latent = 0;
  Shape picture;  // [1,H,W,C]
  std::unique_ptr<Network> generator, discriminator;
};

}  // namespace duel

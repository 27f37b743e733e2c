#include "kernels/activation.h"

#include "kernels/check.h"

namespace duel {

Activation activation_named(std::string_view name, double slope) {
  if (name == "identity") {
    return {ActivationKind::identity};
  }
  if (name == "relu") {
    return {ActivationKind::relu};
  }
  if (name == "leaky_relu") {
    return {ActivationKind::leaky_relu, static_cast<float>(slope)};
  }
  if (name == "tanh") {
    return {ActivationKind::tanh};
  }
  if (name == "sigmoid") {
    return {ActivationKind::sigmoid};
  }
  throw_error(Error::Kind::usage, "activation: \"{}\" is none of identity, relu, leaky_relu, tanh, sigmoid", name);
}

std::string to_string(const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::identity: return "identity";
    case ActivationKind::relu: return "relu";
    case ActivationKind::leaky_relu: return fmt::format("leaky_relu({:g})", activation.slope);
    case ActivationKind::tanh: return "tanh";
    case ActivationKind::sigmoid: return "sigmoid";
  }
  throw Error(Error::Kind::internal, "to_string: unknown activation");
}

}  // namespace duel

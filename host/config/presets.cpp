#include "host/config/presets.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

namespace duel {

Options preset(std::string_view name) {
  Options options;
  options.preset = name;
  if (name == "classic") {
    return options;
  }
  if (name == "steady") {
    // The relativistic loss with both zero-centred penalties, and no momentum: Huang et al. 2024, "The GAN is dead;
    // long live the GAN!", sections 2 and 3.
    options.model.discriminator_activation = "leaky_relu";
    options.model.leaky_slope = 0.2;
    options.loss.kind = "relativistic";
    options.loss.r1 = 0.5;
    options.loss.r2 = 0.5;
    options.optimizer.generator_learning_rate = 5e-4;
    options.optimizer.discriminator_learning_rate = 5e-4;
    options.optimizer.beta1 = 0;
    options.optimizer.beta2 = 0.99;
    options.optimizer.epsilon = 1e-7;
    options.optimizer.ema_decay = 0.99;
    return options;
  }
  throw_error(Error::Kind::usage, "preset = \"{}\" must be {}", name, fmt::join(preset_names(), " or "));
}

const std::vector<std::string>& preset_names() {
  static const std::vector<std::string> names = {"classic", "steady"};
  return names;
}

}  // namespace duel

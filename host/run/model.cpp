#include "host/run/model.h"

#include "engine/models/classic.h"

#include <utility>

namespace duel {

GanModel make_model(const Options& options, const Shape& picture) {
  const Options::Model& m = options.model;
  ClassicConfig config;
  config.height = picture[1];
  config.width = picture[2];
  config.channels = picture[3];
  config.latent = m.latent;
  config.generator_widths = m.generator_widths;
  config.generator_activation = activation_named(m.generator_activation, m.leaky_slope);
  config.discriminator_channels = m.discriminator_channels;
  config.discriminator_kernel = m.discriminator_kernel;
  config.discriminator_widths = m.discriminator_widths;
  config.discriminator_activation = activation_named(m.discriminator_activation, m.leaky_slope);
  return make_classic(config);
}

std::vector<NetworkTable> network_tables(const GanModel& model) {
  std::vector<NetworkTable> tables;
  for (const Network* network : {model.generator.get(), model.discriminator.get()}) {
    const Parameters& parameters = network->parameters();
    NetworkTable table{parameters.network(), parameters.parameter_count(), {}};
    for (const Parameter& parameter : parameters.list()) {
      table.rows.push_back({parameter.name, parameter.shape});
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

void allocate_for_training(Context& context, GanModel& model, const Options& options, bool is_cleared) {
  const bool has_compute = options.precision == "bf16";
  model.generator->parameters().allocate(context, {true, true, has_compute, is_cleared});
  model.discriminator->parameters().allocate(context, {true, false, has_compute, is_cleared});
}

}  // namespace duel

#include "engine/models/conv_steady.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <cstdint>
#include <limits>

namespace duel {

namespace {

const LayerForm kActive{{ActivationKind::leaky_relu, 0.2F}, as_in_pytorch};
const LayerForm kLinear{{}, as_in_pytorch};

// Numbers in a quarter of the picture's height and width, at 4F channels.
std::int64_t deepest_count(const ConvSteadyConfig& config) {
  return std::int64_t{4} * config.filters * (config.height / 4) * (config.width / 4);
}

// Checked before the first layer is made: of a constructor's members, the first calls it.
const ConvSteadyConfig& checked(const ConvSteadyConfig& config) {
  check_conv_steady(config);
  return config;
}

}  // namespace

void check_conv_steady(const ConvSteadyConfig& config) {
  if (config.height <= 0 || config.width <= 0 || config.height % 4 != 0 || config.width % 4 != 0) {
    throw_error(Error::Kind::usage, "conv-steady: pictures are {}x{}, but height and width must be multiples of 4",
                config.height, config.width);
  }
  if (config.channels < 1 || config.channels > 4) {
    throw_error(Error::Kind::usage, "conv-steady: pictures have {} channels, but must have 1 to 4", config.channels);
  }
  if (config.latent < 1 || config.filters < 1 || config.features < 1 || config.classes < 0) {
    throw_error(Error::Kind::usage,
                "conv-steady: {} latents, {} filters and {} features must be at least 1, and {} classes at least 0",
                config.latent, config.filters, config.features, config.classes);
  }
  if (deepest_count(config) > std::numeric_limits<int>::max()) {
    throw_error(Error::Kind::usage,
                "conv-steady: {} filters of {}x{} pictures are {} numbers, but at most {} go into a dense layer; fewer "
                "filters or smaller pictures are needed",
                config.filters, config.height, config.width, deepest_count(config), std::numeric_limits<int>::max());
  }
}

ConvSteadyGenerator::ConvSteadyGenerator(Parameters& parameters, const ConvSteadyConfig& config)
    : height_(checked(config).height / 4),
      width_(config.width / 4),
      filters_(4 * config.filters),
      classes_(parameters, config.classes, config.latent),
      dense_(parameters, "dense", classes_.columns(), static_cast<int>(deepest_count(config)), kActive),
      up1_(parameters, "up1", kHalving, 4 * config.filters, 2 * config.filters, 4, kActive),
      up2_(parameters, "up2", kHalving, 2 * config.filters, config.filters, 4, kActive),
      last_(parameters, "last", config.filters, config.channels, 3, kLinear) {}

Value ConvSteadyGenerator::operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const {
  const Program::Scope scope(program, "generator");
  const int count = program.shape(z)[0];
  const Value x = program.reshape(dense_(program, weights, classes_(program, weights, z, classes), program.dtype(z)),
                                  {count, height_, width_, filters_});
  return last_(program, weights, up2_(program, weights, up1_(program, weights, x)));
}

ConvSteadyDiscriminator::ConvSteadyDiscriminator(Parameters& parameters, const ConvSteadyConfig& config)
    : conv1_(parameters, "conv1", kHalving, checked(config).channels, config.filters, 4, kActive),
      conv2_(parameters, "conv2", kHalving, config.filters, 2 * config.filters, 4, kActive),
      conv3_(parameters, "conv3", 2 * config.filters, 4 * config.filters, 3, kActive),
      dense_(parameters, "dense", static_cast<int>(deepest_count(config)), config.features, kActive),
      last_(parameters, "last", config.features, 1, kLinear),
      classes_(parameters, config.classes, config.features) {}

Value ConvSteadyDiscriminator::operator()(Program& program, const BoundParameters& weights, Value pictures,
                                          Value classes) const {
  const Program::Scope scope(program, "discriminator");
  Value x = conv3_(program, weights, conv2_(program, weights, conv1_(program, weights, pictures)));
  const Shape& shape = program.shape(x);
  x = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
  const Value features = dense_(program, weights, x, program.dtype(pictures));
  const Value logits = last_(program, weights, features, DType::f32);
  return classes_(program, weights, features, logits, classes);
}

}  // namespace duel

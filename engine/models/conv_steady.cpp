#include "engine/models/conv_steady.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace duel {

namespace {

const LayerForm kActive{{ActivationKind::leaky_relu, 0.2F}, as_in_pytorch};
const LayerForm kLinear{{}, as_in_pytorch};

// How often a picture is halved.
int halvings(const ConvSteadyConfig& config) {
  int count = 2;
  const auto stays_whole = [&](int extent) { return extent % (2 << count) == 0 && (extent >> count) >= 8; };
  while (stays_whole(config.height) && stays_whole(config.width)) {
    ++count;
  }
  return count;
}

// Channels after so many halvings from the full size.
int channels_after(const ConvSteadyConfig& config, int halved) {
  return config.filters * std::min(1 << halved, 8);
}

// Numbers in the smallest picture.
std::int64_t deepest_count(const ConvSteadyConfig& config) {
  const int halved = halvings(config);
  return std::int64_t{channels_after(config, halved)} * (config.height >> halved) * (config.width >> halved);
}

// Checked before the first layer is made: of a constructor's members, the first calls it.
const ConvSteadyConfig& checked(const ConvSteadyConfig& config) {
  check_conv_steady(config);
  return config;
}

// "up1", "up2": each doubles the picture.
std::vector<ConvTransposed> doubling(Parameters& parameters, const ConvSteadyConfig& config) {
  std::vector<ConvTransposed> layers;
  for (int halved = halvings(config); halved > 0; --halved) {
    layers.emplace_back(parameters, "up" + std::to_string(layers.size() + 1), kHalving, channels_after(config, halved),
                        channels_after(config, halved - 1), 4, kActive);
  }
  return layers;
}

// "conv1", "conv2": each halves the picture, and a last one may widen it.
std::vector<Conv> halving(Parameters& parameters, const ConvSteadyConfig& config) {
  std::vector<Conv> layers;
  int channels = config.channels;
  const auto add = [&](const Conv2d& conv, int filters, int kernel) {
    layers.emplace_back(parameters, "conv" + std::to_string(layers.size() + 1), conv, channels, filters, kernel,
                        kActive);
    channels = filters;
  };
  const int count = halvings(config);
  for (int halved = 0; halved < count; ++halved) {
    add(kHalving, channels_after(config, halved), 4);
  }
  if (channels < channels_after(config, count)) {
    add(Conv2d::same(3), channels_after(config, count), 3);
  }
  return layers;
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
    : height_(checked(config).height >> halvings(config)),
      width_(config.width >> halvings(config)),
      channels_(channels_after(config, halvings(config))),
      classes_(parameters, config.classes, config.latent),
      dense_(parameters, "dense", classes_.columns(), static_cast<int>(deepest_count(config)), kActive),
      up_(doubling(parameters, config)),
      last_(parameters, "last", config.filters, config.channels, 3, kLinear) {}

Value ConvSteadyGenerator::operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const {
  const Program::Scope scope(program, "generator");
  const int count = program.shape(z)[0];
  Value x = program.reshape(dense_(program, weights, classes_(program, weights, z, classes), program.dtype(z)),
                            {count, height_, width_, channels_});
  for (const ConvTransposed& up : up_) {
    x = up(program, weights, x);
  }
  return last_(program, weights, x);
}

ConvSteadyDiscriminator::ConvSteadyDiscriminator(Parameters& parameters, const ConvSteadyConfig& config)
    : convs_(halving(parameters, checked(config))),
      dense_(parameters, "dense", static_cast<int>(deepest_count(config)), config.features, kActive),
      last_(parameters, "last", config.features, 1, kLinear),
      classes_(parameters, config.classes, config.features) {}

Value ConvSteadyDiscriminator::operator()(Program& program, const BoundParameters& weights, Value pictures,
                                          Value classes) const {
  const Program::Scope scope(program, "discriminator");
  Value x = pictures;
  for (const Conv& conv : convs_) {
    x = conv(program, weights, x);
  }
  const Shape& shape = program.shape(x);
  x = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
  const Value features = dense_(program, weights, x, program.dtype(pictures));
  const Value logits = last_(program, weights, features, DType::f32);
  return classes_(program, weights, features, logits, classes);
}

}  // namespace duel

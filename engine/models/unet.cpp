#include "engine/models/unet.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace duel {

namespace {

constexpr int kMostLevels = 8;
const Activation kLeaky{ActivationKind::leaky_relu, 0.2F}, kRelu{ActivationKind::relu};

LayerForm form_of(bool has_norm, const Activation& activation = {}) {
  return {activation, small_and_normal, !has_norm};
}

// Checked before the first parameter is declared.
const UnetConfig& checked(const UnetConfig& config) {
  check_unet(config);
  return config;
}

int channels_of(const UnetConfig& config, int level) {
  return config.filters << std::min(level - 1, 3);
}

}  // namespace

int unet_levels(int height, int width) {
  int levels = 0;
  while (levels < kMostLevels && height % (2 << levels) == 0 && width % (2 << levels) == 0) {
    ++levels;
  }
  return levels;
}

void check_unet(const UnetConfig& config) {
  if (config.levels < 2 || config.levels > kMostLevels) {
    throw_error(
        Error::Kind::usage,
        "unet: pictures of {}x{} with {} levels, but levels must be 2 to {}: height and width must be multiples "
        "of 4, and of a higher power of two the network sees more of a picture at once",
        config.height, config.width, config.levels, kMostLevels);
  }
  const int unit = 1 << config.levels;
  if (config.height < unit || config.width < unit || config.height % unit != 0 || config.width % unit != 0) {
    throw_error(Error::Kind::usage,
                "unet: pictures are {}x{}, but with {} levels height and width must be multiples of {}", config.height,
                config.width, config.levels, unit);
  }
  if (config.inputs < 1 || config.outputs < 1 || config.filters < 1) {
    throw_error(Error::Kind::usage, "unet: {} inputs, {} outputs and {} filters must each be at least 1", config.inputs,
                config.outputs, config.filters);
  }
}

Unet::Unet(Parameters& parameters, const UnetConfig& config)
    : last_([&] {
        const int levels = checked(config).levels;
        int channels = config.inputs;
        for (int i = 1; i <= levels; ++i) {
          const std::string name = fmt::format("down{}", i);
          const bool has_norm = i > 1 && i < levels;
          Down down{Conv(parameters, name, kHalving, channels, channels_of(config, i), 4, form_of(has_norm)), {}};
          channels = channels_of(config, i);
          if (has_norm) {
            down.norm.emplace(parameters, name + "/norm", channels);
          }
          downs_.push_back(std::move(down));
        }
        for (int i = levels - 1; i >= 1; --i) {
          const std::string name = fmt::format("up{}", levels - i);
          const int made = channels_of(config, i);
          ups_.push_back({ConvTransposed(parameters, name, kHalving, channels, made, 4, form_of(true)),
                          InstanceNormalization(parameters, name + "/norm", made, kRelu)});
          channels = 2 * made;
        }
        return ConvTransposed(parameters, "last", kHalving, channels, config.outputs, 4,
                              form_of(false, {ActivationKind::tanh}));
      }()) {}

Value Unet::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "unet");
  Value x = pictures;
  std::vector<Value> made;
  for (const Down& down : downs_) {
    x = down.conv(program, weights, made.empty() ? x : ops::bias_act(program, kLeaky, x, {}));
    x = down.norm ? (*down.norm)(program, weights, x) : x;
    made.push_back(x);
  }
  x = ops::bias_act(program, kRelu, x, {});
  made.pop_back();
  for (const Up& up : ups_) {
    x = up.norm(program, weights, up.conv(program, weights, x));
    x = ops::concat_columns(program, x, ops::bias_act(program, kRelu, made.back(), {}));
    made.pop_back();
  }
  return last_(program, weights, x);
}

}  // namespace duel

#include "engine/models/patch_discriminator.h"

#include "engine/nn/leaky.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>

namespace duel {

namespace {

constexpr Conv2d kStraight{1, 1, 1, 1, 1};  // 4x4 filters with these take a pixel off each extent

// Checked before the first parameter is declared.
const PatchDiscriminatorConfig& checked(const PatchDiscriminatorConfig& config) {
  check_patch_discriminator(config);
  return config;
}

int filters_of(const PatchDiscriminatorConfig& config, int layer) {
  return config.filters << std::min(layer - 1, 3);
}

}  // namespace

void check_patch_discriminator(const PatchDiscriminatorConfig& config) {
  if (config.channels < 1 || config.filters < 1 || config.halvings < 1 || config.halvings > 8) {
    throw_error(Error::Kind::usage,
                "patch_discriminator: {} channels and {} filters must each be at least 1, and {} halvings 1 to 8",
                config.channels, config.filters, config.halvings);
  }
  const int least = 3 << config.halvings;  // the two layers behind the halvings need 3x3 pixels
  if (std::min(config.height, config.width) < least) {
    throw_error(Error::Kind::usage,
                "patch_discriminator: pictures are {}x{}, but with {} halvings height and width must be at least {}",
                config.height, config.width, config.halvings, least);
  }
}

PatchDiscriminator::PatchDiscriminator(Parameters& parameters, const PatchDiscriminatorConfig& config)
    : last_([&] {
        checked(config);
        const Scheme scheme = config.is_normalized ? small_and_normal : he_before_leaky;
        int channels = config.channels;
        for (int i = 1; i <= config.halvings + 1; ++i) {
          const std::string name = fmt::format("conv{}", i);
          const Conv2d& form = i <= config.halvings ? kHalving : kStraight;
          const int filters = filters_of(config, i);
          if (i == 1 || !config.is_normalized) {
            plain_.emplace_back(parameters, name, form, channels, filters, 4, LayerForm(kLeaky, scheme));
          } else {
            normed_.push_back({Conv(parameters, name, form, channels, filters, 4, LayerForm({}, scheme, false)),
                               InstanceNormalization(parameters, name + "/norm", filters, kLeaky)});
          }
          channels = filters;
        }
        return Conv(parameters, "last", kStraight, channels, 1, 4, LayerForm({}, scheme));
      }()) {}

Value PatchDiscriminator::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "discriminator");
  Value x = pictures;
  for (const Conv& conv : plain_) {
    x = conv(program, weights, x);
  }
  for (const Normed& layer : normed_) {
    x = layer.norm(program, weights, layer.conv(program, weights, x));
  }
  return ops::cast(program, last_(program, weights, x), DType::f32);
}

}  // namespace duel

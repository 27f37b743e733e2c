#include "engine/models/unet_discriminator.h"

#include "engine/nn/enlarge.h"
#include "engine/nn/leaky.h"
#include "engine/nn/spectral_norm.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

namespace duel {

namespace {

constexpr int kLevels = 3;

const LayerForm kNormalized{kLeaky, he_before_leaky, false};

// Checked before the first parameter is declared.
const UnetDiscriminatorConfig& checked(const UnetDiscriminatorConfig& config) {
  check_unet_discriminator(config);
  return config;
}

}  // namespace

void check_unet_discriminator(const UnetDiscriminatorConfig& config) {
  if (config.channels < 1 || config.filters < 1) {
    throw_error(Error::Kind::usage, "unet_discriminator: {} channels and {} filters must each be at least 1",
                config.channels, config.filters);
  }
  constexpr int kUnit = 1 << kLevels;
  if (config.height < kUnit || config.width < kUnit || config.height % kUnit != 0 || config.width % kUnit != 0) {
    throw_error(Error::Kind::usage,
                "unet_discriminator: pictures are {}x{} (width, height), but both must be multiples of {}",
                config.width, config.height, kUnit);
  }
}

UnetDiscriminator::UnetDiscriminator(Parameters& parameters, const UnetDiscriminatorConfig& config)
    : first_(parameters, "first", Conv2d::same(3), checked(config).channels, config.filters, 3,
             {kLeaky, he_before_leaky}),
      last_([&] {
        const int filters = config.filters;
        for (int i = 1; i <= kLevels; ++i) {
          down_.emplace_back(parameters, fmt::format("down{}", i), kHalving, filters << (i - 1), filters << i, 4,
                             kNormalized);
        }
        for (int i = kLevels - 1; i >= 0; --i) {
          up_.emplace_back(parameters, fmt::format("up{}", i + 1), Conv2d::same(3), filters << (i + 1), filters << i, 3,
                           kNormalized);
        }
        for (int i = 1; i <= 2; ++i) {
          more_.emplace_back(parameters, fmt::format("more{}", i), Conv2d::same(3), filters, filters, 3, kNormalized);
        }
        return Conv(parameters, "last", Conv2d::same(3), filters, 1, 3, {{}, he_before_leaky});
      }()) {}

Value UnetDiscriminator::operator()(const Pass& pass, Value pictures) const {
  Program& program = pass.program;
  const Program::Scope scope(program, "discriminator");
  Value x = first_(program, pass.weights, pictures);
  std::vector<Value> made;
  for (const Conv& down : down_) {
    made.push_back(x);
    x = run_normalized(pass, down, x);
  }
  for (const Conv& up : up_) {
    x = ops::add(program, run_normalized(pass, up, enlarge_bilinearly(program, x, 2)), made.back());
    made.pop_back();
  }
  for (const Conv& more : more_) {
    x = run_normalized(pass, more, x);
  }
  return ops::cast(program, last_(program, pass.weights, x), DType::f32);
}

}  // namespace duel

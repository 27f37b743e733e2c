#include "engine/models/msr_resnet.h"

#include "engine/nn/enlarge.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cmath>

namespace duel {

namespace {

const Activation kLeaky{ActivationKind::leaky_relu, 0.1F};

LayerInitial tenth_of_he(int fan_in, int /*fan_out*/) {
  return {Initial::normal(0.1 * std::sqrt(2.0 / fan_in)), Initial::zeros()};
}

const LayerForm kStraight{{}, tenth_of_he}, kRelu{{ActivationKind::relu}, tenth_of_he}, kBent{kLeaky, tenth_of_he};

// Checked before the first parameter is declared.
const MsrResnetConfig& checked(const MsrResnetConfig& config) {
  check_msr_resnet(config);
  return config;
}

// What a shuffle enlarges by.
int factor_of(int scale) {
  return scale == 3 ? 3 : 2;
}

}  // namespace

void check_msr_resnet(const MsrResnetConfig& config) {
  if (config.scale < 2 || config.scale > 4) {
    throw_error(Error::Kind::usage, "msr_resnet: the scale is {}, but must be 2, 3 or 4", config.scale);
  }
  if (config.channels < 1 || config.channels > 4 || config.filters < 1 || config.blocks < 0) {
    throw_error(Error::Kind::usage,
                "msr_resnet: {} channels must be 1 to 4, {} filters at least 1, and {} blocks at least 0",
                config.channels, config.filters, config.blocks);
  }
}

MsrResnet::MsrResnet(Parameters& parameters, const MsrResnetConfig& config)
    : scale_(checked(config).scale),
      first_(ConvSame(parameters, "first", config.channels, config.filters, 3, kBent)),
      large_([&] {
        const int filters = config.filters, factor = factor_of(scale_);
        for (int i = 1; i <= config.blocks; ++i) {
          const std::string name = fmt::format("block{}", i);
          blocks_.push_back({ConvSame(parameters, name + "/first", filters, filters, 3, kRelu),
                             ConvSame(parameters, name + "/second", filters, filters, 3, kStraight)});
        }
        for (int i = 1; i <= (scale_ == 4 ? 2 : 1); ++i) {
          enlarging_.push_back(
              ConvSame(parameters, fmt::format("enlarge{}", i), filters, factor * factor * filters, 3, kStraight));
        }
        return ConvSame(parameters, "large", filters, filters, 3, kBent);
      }()),
      last_(ConvSame(parameters, "last", config.filters, config.channels, 3, kStraight)) {}

Value MsrResnet::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "msr_resnet");
  Value x = first_(program, weights, pictures);
  for (const Block& block : blocks_) {
    x = ops::add(program, x, block.second(program, weights, block.first(program, weights, x)));
  }
  for (const Conv& conv : enlarging_) {
    x = ops::bias_act(program, kLeaky, ops::pixel_shuffle(program, conv(program, weights, x), factor_of(scale_)), {});
  }
  return ops::add(program, last_(program, weights, large_(program, weights, x)),
                  enlarge_bilinearly(program, pictures, scale_));
}

}  // namespace duel

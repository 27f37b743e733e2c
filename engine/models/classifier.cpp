#include "engine/models/classifier.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

namespace {

const Activation kRelu{ActivationKind::relu};

// Checked before the first layer is made: of the constructor's members, the first calls it.
const ClassifierConfig& checked(const ClassifierConfig& config) {
  check_classifier(config);
  return config;
}

// A convolution without bias, which the norm behind it would take off.
Conv make_conv(Parameters& parameters, const std::string& name, int channels, int filters, int kernel, int stride) {
  Conv2d conv = Conv2d::same(kernel);
  conv.stride = stride;
  return {parameters, name, conv, channels, filters, kernel, {{}, he_and_zeros, false}};
}

}  // namespace

void check_classifier(const ClassifierConfig& config) {
  if (config.height < 1 || config.width < 1 || config.channels < 1 || config.channels > 4) {
    throw_error(Error::Kind::usage,
                "classifier: pictures are {}x{} with {} channels, but must have at least one pixel and 1 to 4 channels",
                config.height, config.width, config.channels);
  }
  if (config.classes < 1 || config.filters < 1 || config.blocks < 1 || config.stages < 1 || config.stages > 8 ||
      config.stem_stride < 1) {
    throw_error(
        Error::Kind::usage,
        "classifier: {} outputs, {} filters, {} blocks a stage and a stem's stride of {} must be at least 1, and "
        "{} stages 1 to 8",
        config.classes, config.filters, config.blocks, config.stem_stride, config.stages);
  }
}

Classifier::NormedConv::NormedConv(Parameters& parameters, const std::string& name, int channels, int filters,
                                   int kernel, int stride, const Activation& activation)
    : conv(make_conv(parameters, name, channels, filters, kernel, stride)),
      norm(parameters, name + "/norm", filters, activation) {}

Classifier::Block::Block(Parameters& parameters, const std::string& name, int channels, int filters, int stride)
    : first(parameters, name + "/conv1", channels, filters, 3, stride, kRelu),
      second(parameters, name + "/conv2", filters, filters, 3, 1, {}) {
  if (stride != 1 || channels != filters) {
    projection.emplace(parameters, name + "/projection", channels, filters, 1, stride, Activation{});
  }
}

std::vector<Classifier::Block> Classifier::make_blocks(Parameters& parameters, const ClassifierConfig& config) {
  std::vector<Block> blocks;
  int channels = config.filters;
  for (int stage = 0; stage < config.stages; ++stage) {
    const int filters = config.filters << stage;
    for (int i = 0; i < config.blocks; ++i) {
      const std::string name = fmt::format("stage{}/block{}", stage + 1, i + 1);
      blocks.emplace_back(parameters, name, channels, filters, stage > 0 && i == 0 ? 2 : 1);
      channels = filters;
    }
  }
  return blocks;
}

Classifier::Classifier(Parameters& parameters, const ClassifierConfig& config)
    : blocks_a_stage_(checked(config).blocks),
      stem_(parameters, "stem", config.channels, config.filters, 3, config.stem_stride, kRelu),
      blocks_(make_blocks(parameters, config)),
      last_(parameters, "last", features(config), config.classes, {{}, as_in_pytorch}) {}

Classifier::Result Classifier::operator()(Program& program, const BoundParameters& weights, const NamedState& state,
                                          bool is_training, Value pictures) const {
  const Program::Scope scope(program, "classifier");
  const auto normed = [&](const NormedConv& layer, Value x) {
    return layer.norm(program, weights, state, is_training, layer.conv(program, weights, x));
  };
  Result result;
  Value x = normed(stem_, pictures);
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    const Value shortcut = block.projection ? normed(*block.projection, x) : x;
    const Value sum = ops::add(program, normed(block.second, normed(block.first, x)), shortcut);
    x = ops::bias_act(program, kRelu, sum, {});
    if ((i + 1) % static_cast<std::size_t>(blocks_a_stage_) == 0) {
      result.maps.push_back(x);
    }
  }
  const Shape& shape = program.shape(x);
  const float share = 1.0F / static_cast<float>(shape[1] * shape[2]);
  result.features = ops::reduce_sum(program, {Axes::each_row_and_column, share}, x);
  result.logits = last_(program, weights, ops::cast(program, result.features, program.dtype(x)), DType::f32);
  return result;
}

}  // namespace duel

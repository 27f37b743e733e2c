#include "engine/models/nafnet.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace duel {

namespace {

constexpr float kEpsilon = 1e-6F;
const LayerForm kBiased{{}, as_in_pytorch}, kUnbiased{{}, as_in_pytorch, false};
constexpr Conv2d kPointwise{}, kHalve{2, 0, 0, 0, 0};

// Checked before the first parameter is declared.
const NafnetConfig& checked(const NafnetConfig& config) {
  check_nafnet(config);
  return config;
}

std::vector<NafnetBlock> make_blocks(Parameters& parameters, const std::string& name, int count, int channels) {
  std::vector<NafnetBlock> blocks;
  for (int i = 1; i <= count; ++i) {
    blocks.emplace_back(parameters, fmt::format("{}/block{}", name, i), channels);
  }
  return blocks;
}

Value run_blocks(Program& program, const BoundParameters& weights, const std::vector<NafnetBlock>& blocks, Value x) {
  for (const NafnetBlock& block : blocks) {
    x = block(program, weights, x);
  }
  return x;
}

// One half of the channels times the other.
Value gate(Program& program, Value x) {
  const int half = program.shape(x).back() / 2;
  return ops::multiply(program, ops::slice_columns(program, x, 0, half), ops::slice_columns(program, x, half, half));
}

// x, each channel of each picture times a number, f32 [N,C].
Value scale_channels(Program& program, Value x, Value factors) {
  return ops::multiply(
      program, x,
      ops::broadcast(program, {Axes::each_row_and_column, 1.0F}, factors, program.shape(x), program.dtype(x)));
}

Value channel_means(Program& program, Value x) {
  const Shape shape = program.shape(x);
  const float share = 1.0F / static_cast<float>(shape[1] * shape[2]);
  return ops::reduce_sum(program, {Axes::each_row_and_column, share}, x);
}

}  // namespace

void check_nafnet(const NafnetConfig& config) {
  const auto are_counts = [](const std::vector<int>& blocks) {
    return std::all_of(blocks.begin(), blocks.end(), [](int count) { return count >= 0; });
  };
  if (config.down.size() != config.up.size() || config.down.size() > 8 || !are_counts(config.down) ||
      !are_counts(config.up) || config.middle < 0) {
    throw_error(Error::Kind::usage,
                "nafnet: blocks are [{}] on the way down, {} in the middle and [{}] on the way up, but both ways must "
                "have as many levels, at most 8, and no level fewer blocks than 0",
                fmt::join(config.down, ","), config.middle, fmt::join(config.up, ","));
  }
  const int least = 1 << config.down.size();
  if (config.height <= 0 || config.width <= 0 || config.height % least != 0 || config.width % least != 0) {
    throw_error(Error::Kind::usage,
                "nafnet: pictures are {}x{}, but with {} levels height and width must be multiples of {}",
                config.height, config.width, config.down.size(), least);
  }
  if (config.channels < 1 || config.outputs < 1 || config.inputs < config.outputs) {
    throw_error(
        Error::Kind::usage,
        "nafnet: {} channels, {} inputs and {} outputs must each be at least 1, and no more outputs than inputs",
        config.channels, config.inputs, config.outputs);
  }
}

NafnetBlock::ScaledConv::ScaledConv(Parameters& parameters, const std::string& its_name, const std::string& factor_name,
                                    int channels)
    : name(its_name) {
  const LayerInitial initial = as_in_pytorch(channels, channels);
  weight = parameters.declare(name + "/weight", {channels, 1, 1, channels}, initial.weight);
  bias = parameters.declare(name + "/bias", {channels}, initial.bias);
  factor = parameters.declare(factor_name, {channels}, Initial::zeros());
}

Value NafnetBlock::ScaledConv::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, name);
  const Value filters = weights[weight];
  const Value factors =
      ops::broadcast(program, {Axes::each_row, 1.0F}, weights[factor], program.shape(filters), DType::f32);
  const Value scaled = ops::multiply(program, ops::cast(program, filters, DType::f32), factors);
  const Value sum = ops::conv2d(program, kPointwise, x, ops::cast(program, scaled, program.dtype(filters)));
  return ops::bias_act(program, {}, sum, ops::multiply(program, weights[bias], weights[factor]));
}

NafnetBlock::NafnetBlock(Parameters& parameters, const std::string& name, int channels)
    : norm1_(parameters, name + "/norm1", channels, kEpsilon),
      norm2_(parameters, name + "/norm2", channels, kEpsilon),
      expand_(parameters, name + "/expand", kPointwise, channels, 2 * channels, 1, kBiased),
      each_(parameters, name + "/each", Conv2d::same(3, 2 * channels), 1, 2 * channels, 3, kBiased),
      scale_(parameters, name + "/scale", channels, channels, kBiased),
      project_(parameters, name + "/project", name + "/beta", channels),
      widen_(parameters, name + "/widen", kPointwise, channels, 2 * channels, 1, kBiased),
      narrow_(parameters, name + "/narrow", name + "/gamma", channels) {}

Value NafnetBlock::operator()(Program& program, const BoundParameters& weights, Value x) const {
  // The layers' names have the block's before them.
  const DType type = program.dtype(x);
  Value y = gate(program, each_(program, weights, expand_(program, weights, norm1_(program, weights, x))));
  const Value means = ops::cast(program, channel_means(program, y), type);
  y = scale_channels(program, y, scale_(program, weights, means, DType::f32));
  y = ops::add(program, x, project_(program, weights, y));
  const Value z = gate(program, widen_(program, weights, norm2_(program, weights, y)));
  return ops::add(program, y, narrow_(program, weights, z));
}

Nafnet::Nafnet(Parameters& parameters, const NafnetConfig& config)
    : outputs_(checked(config).outputs),
      first_(parameters, "first", Conv2d::same(3), config.inputs, config.channels, 3, kBiased),
      last_([&] {
        int channels = config.channels;
        for (std::size_t i = 0; i < config.down.size(); ++i, channels *= 2) {
          const std::string name = fmt::format("down{}", i + 1);
          std::vector<NafnetBlock> blocks = make_blocks(parameters, name, config.down[i], channels);
          down_.push_back(
              {name, Conv(parameters, name + "/halve", kHalve, channels, 2 * channels, 2, kBiased), std::move(blocks)});
        }
        middle_ = make_blocks(parameters, "middle", config.middle, channels);
        for (std::size_t i = 0; i < config.up.size(); ++i) {
          const std::string name = fmt::format("up{}", i + 1);
          Conv change(parameters, name + "/double", kPointwise, channels, 2 * channels, 1, kUnbiased);
          channels /= 2;
          up_.push_back({name, std::move(change), make_blocks(parameters, name, config.up[i], channels)});
        }
        return Conv(parameters, "last", Conv2d::same(3), config.channels, config.outputs, 3, kBiased);
      }()) {}

Value Nafnet::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "nafnet");
  Value x = first_(program, weights, pictures);
  std::vector<Value> made;
  for (const Level& level : down_) {
    made.push_back(run_blocks(program, weights, level.blocks, x));
    x = level.change(program, weights, made.back());
  }
  x = run_blocks(program, weights, middle_, x);
  for (const Level& level : up_) {
    x = ops::add(program, ops::pixel_shuffle(program, level.change(program, weights, x), 2), made.back());
    made.pop_back();
    x = run_blocks(program, weights, level.blocks, x);
  }
  const bool is_whole = program.shape(pictures).back() == outputs_;
  return ops::add(program, last_(program, weights, x),
                  is_whole ? pictures : ops::slice_columns(program, pictures, 0, outputs_));
}

}  // namespace duel

#include "engine/models/residual.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace duel {

namespace {

constexpr int kGroupChannels = 16;
constexpr float kSlope = 0.2F;
const Activation kLeaky{ActivationKind::leaky_relu, kSlope};
const Conv2d kPointwise{};  // of 1x1 filters

Initial fan_in_normal(int fan_in, double gain = 1) {
  return Initial::normal(gain / std::sqrt(fan_in));
}

// Checked before the first parameter is declared.
const ResidualConfig& checked(const ResidualConfig& config) {
  check_residual(config);
  return config;
}

int all_blocks(const ResidualConfig& config) {
  return std::accumulate(config.blocks.begin(), config.blocks.end(), 0);
}

int shrinking(const ResidualConfig& config) {
  return 1 << (config.widths.size() - 1);
}

// Stage i of the configuration; `from` and `to` are the widths that its 1x1 changes between.
ResidualStage make_stage(Parameters& parameters, const ResidualConfig& config, std::size_t i, int from, int to) {
  ResidualStage stage;
  stage.name = fmt::format("stage{}", i + 1);
  const auto change = [&] {
    stage.change =
        from == to ? -1 : parameters.declare(stage.name + "/change/weight", {to, 1, 1, from}, fan_in_normal(from));
  };
  const bool is_changed_first = to == config.widths[i];
  if (is_changed_first) {
    change();
  }
  for (int block = 0; block < config.blocks[i]; ++block) {
    stage.blocks.emplace_back(parameters, fmt::format("{}/block{}", stage.name, block + 1), config.widths[i],
                              all_blocks(config));
  }
  if (!is_changed_first) {
    change();
  }
  return stage;
}

Value change_width(Program& program, const BoundParameters& weights, const ResidualStage& stage, Value x) {
  return stage.change < 0 ? x : ops::conv2d(program, kPointwise, x, weights[stage.change]);
}

Value run_blocks(Program& program, const BoundParameters& weights, const ResidualStage& stage, Value x) {
  for (const ResidualBlock& block : stage.blocks) {
    x = block(program, weights, x);
  }
  return x;
}

void check_given(bool has_classes, Value classes) {
  check(has_classes == classes.exists(), "classes: the network {}, but {} given",
        has_classes ? "is made for some" : "has none", classes.exists() ? "some are" : "none are");
}

}  // namespace

void check_residual(const ResidualConfig& config) {
  const auto is_width = [](int width) { return width >= 8 && width % 8 == 0; };
  if (config.widths.empty() || config.widths.size() > 16 || config.widths.size() != config.blocks.size() ||
      !std::all_of(config.widths.begin(), config.widths.end(), is_width) ||
      !std::all_of(config.blocks.begin(), config.blocks.end(), [](int count) { return count >= 1; })) {
    throw_error(Error::Kind::usage,
                "residual: widths are [{}] and blocks [{}], but each stage, 1 to 16 of them, needs a width that is a "
                "multiple of 8 and at least one block",
                fmt::join(config.widths, ","), fmt::join(config.blocks, ","));
  }
  const int least = shrinking(config);
  if (config.height <= 0 || config.width <= 0 || config.height % least != 0 || config.width % least != 0) {
    throw_error(Error::Kind::usage,
                "residual: pictures are {}x{}, but with {} stages height and width must be multiples of {}; {} widths "
                "make others",
                config.height, config.width, config.widths.size(), least, config.widths.size() > 1 ? "fewer" : "other");
  }
  if (config.channels < 1 || config.channels > 4) {
    throw_error(Error::Kind::usage, "residual: pictures have {} channels, but must have 1 to 4", config.channels);
  }
  if (config.latent < 1 || config.classes < 0) {
    throw_error(Error::Kind::usage, "residual: {} latents must be at least 1, and {} classes at least 0", config.latent,
                config.classes);
  }
}

ResidualBlock::ResidualBlock(Parameters& parameters, const std::string& name, int channels, int blocks)
    : name_(name), groups_(2 * channels / kGroupChannels) {
  const int inner = 2 * channels, of_group = 9 * kGroupChannels;
  const double gain = std::sqrt(2 / (1 + double{kSlope} * double{kSlope})) * std::pow(blocks, -0.25);
  expand_ = parameters.declare(name + "/expand/weight", {inner, 1, 1, channels}, fan_in_normal(channels, gain));
  expand_bias_ = parameters.declare(name + "/expand/bias", {inner}, Initial::zeros());
  grouped_ = parameters.declare(name + "/grouped/weight", {inner, 3, 3, kGroupChannels}, fan_in_normal(of_group, gain));
  grouped_bias_ = parameters.declare(name + "/grouped/bias", {inner}, Initial::zeros());
  project_ = parameters.declare(name + "/project/weight", {channels, 1, 1, inner}, Initial::zeros());
}

Value ResidualBlock::operator()(Program& program, const BoundParameters& weights, Value x) const {
  const Program::Scope scope(program, name_);
  Value y =
      ops::bias_act(program, kLeaky, ops::conv2d(program, kPointwise, x, weights[expand_]), weights[expand_bias_]);
  y = ops::bias_act(program, kLeaky, ops::conv2d(program, Conv2d::same(3, groups_), y, weights[grouped_]),
                    weights[grouped_bias_]);
  return ops::add(program, x, ops::conv2d(program, kPointwise, y, weights[project_]));
}

ResidualGenerator::ResidualGenerator(Parameters& parameters, const ResidualConfig& config)
    : smallest_({checked(config).height / shrinking(config), config.width / shrinking(config), config.widths[0]}) {
  int columns = config.latent;
  if (config.classes > 0) {
    classes_.emplace(parameters, "classes", config.classes, config.latent, fan_in_normal(config.classes));
    columns += config.latent;
  }
  picture_ = parameters.declare("basis/picture", smallest_, Initial::normal(1));
  dense_ = parameters.declare("basis/dense/weight", {columns, config.widths[0]}, fan_in_normal(columns));
  for (std::size_t i = 0; i < config.widths.size(); ++i) {
    stages_.push_back(make_stage(parameters, config, i, config.widths[i == 0 ? 0 : i - 1], config.widths[i]));
  }
  last_ = parameters.declare("last/weight", {config.channels, 1, 1, config.widths.back()},
                             fan_in_normal(config.widths.back()));
}

Value ResidualGenerator::operator()(Program& program, const BoundParameters& weights, Value z, Value classes) const {
  const Program::Scope scope(program, "generator");
  check_given(classes_.has_value(), classes);
  const DType type = program.dtype(z);
  if (classes_) {
    z = ops::concat_columns(program, z, ops::cast(program, (*classes_)(program, weights, classes), type));
  }
  const int count = program.shape(z)[0], pixels = smallest_[0] * smallest_[1], channels = smallest_[2];
  const Shape flat{count, pixels, channels};
  const Value factors = ops::matmul(program, {}, z, weights[dense_], DType::f32);
  const Value each = ops::broadcast(program, {Axes::each_row_and_column, 1.0F}, factors, flat, type);
  const Value picture = ops::cast(program, program.reshape(weights[picture_], {pixels * channels}), DType::f32);
  const Value all = ops::broadcast(program, {Axes::each_column, 1.0F}, picture, {count, pixels * channels}, type);
  Value x = program.reshape(ops::multiply(program, each, program.reshape(all, flat)),
                            {count, smallest_[0], smallest_[1], channels});
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    if (i > 0) {
      const Program::Scope stage(program, stages_[i].name);
      x = change_width(program, weights, stages_[i], x);
      const Shape shape = program.shape(x);
      x = ops::resample2d(program, bilinear_up(), x, 2 * shape[1], 2 * shape[2]);
    }
    x = run_blocks(program, weights, stages_[i], x);
  }
  return ops::conv2d(program, kPointwise, x, weights[last_]);
}

ResidualDiscriminator::ResidualDiscriminator(Parameters& parameters, const ResidualConfig& config) {
  const int least = shrinking(checked(config)), deepest = config.widths[0];
  const int height = config.height / least, width = config.width / least;
  first_ =
      parameters.declare("first/weight", {config.widths.back(), 1, 1, config.channels}, fan_in_normal(config.channels));
  for (std::size_t i = config.widths.size(); i-- > 0;) {
    stages_.push_back(make_stage(parameters, config, i, config.widths[i], config.widths[i == 0 ? 0 : i - 1]));
  }
  sums_ = parameters.declare("sums/weight", {deepest, height, width, 1}, fan_in_normal(height * width));
  last_ = parameters.declare("last/weight", {deepest, config.classes > 0 ? deepest : 1}, fan_in_normal(deepest));
  if (config.classes > 0) {
    classes_.emplace(parameters, "classes", config.classes, deepest,
                     fan_in_normal(config.classes, 1 / std::sqrt(deepest)));
  }
}

Value ResidualDiscriminator::operator()(Program& program, const BoundParameters& weights, Value pictures,
                                        Value classes) const {
  const Program::Scope scope(program, "discriminator");
  check_given(classes_.has_value(), classes);
  Value x = ops::conv2d(program, kPointwise, pictures, weights[first_]);
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    x = run_blocks(program, weights, stages_[i], x);
    if (i + 1 < stages_.size()) {
      const Program::Scope stage(program, stages_[i].name);
      const Shape shape = program.shape(x);
      x = ops::resample2d(program, bilinear_down(), x, shape[1] / 2, shape[2] / 2);
      x = change_width(program, weights, stages_[i], x);
    }
  }
  const int count = program.shape(x)[0], channels = program.shape(x)[3];
  Conv2d each;
  each.groups = channels;
  x = program.reshape(ops::conv2d(program, each, x, weights[sums_]), {count, channels});
  const Value judged = ops::matmul(program, {}, x, weights[last_], DType::f32);
  if (!classes_) {
    return judged;
  }
  const Value rows = ops::cast(program, (*classes_)(program, weights, classes), DType::f32);
  const Value sums = ops::reduce_sum(program, {Axes::each_row, 1.0F}, ops::multiply(program, judged, rows));
  return program.reshape(sums, {count, 1});
}

}  // namespace duel

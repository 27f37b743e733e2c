#include "engine/models/translator.h"

#include "engine/nn/enlarge.h"
#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cstddef>

namespace duel {

namespace {

constexpr int kLeastExtent = 8;  // a quarter of it is mirrored by one pixel
const Activation kRelu{ActivationKind::relu};
const Conv2d kInside{};  // of a margin that is there already

const LayerForm kNormed{{}, small_and_normal, false};

// Checked before the first parameter is declared.
const TranslatorConfig& checked(const TranslatorConfig& config) {
  check_translator(config);
  return config;
}

Value with_mirrored_margin(Program& program, Value x, int margin) {
  return ops::pad2d(program, {PadKind::reflect, margin, margin, margin, margin}, x);
}

Value normed(Program& program, Value x) {
  const GroupNorm p{.groups = program.shape(x).back()};
  return ops::group_norm(program, p, x).y;
}

Value normed_and_bent(Program& program, Value x) {
  return ops::bias_act(program, kRelu, normed(program, x), {});
}

// Of a picture with a margin of one pixel.
Value halved(Program& program, Value x) {
  const Shape shape = program.shape(x);
  const Resample2d filter(1, 2, 0, {0.25F, 0.5F, 0.25F});
  return ops::resample2d(program, filter, with_mirrored_margin(program, x, 1), shape[1] / 2, shape[2] / 2);
}

std::size_t middle_of(std::size_t blocks) {
  return (blocks - 1) / 2;
}

}  // namespace

void check_translator(const TranslatorConfig& config) {
  const auto fits = [](int extent) { return extent >= kLeastExtent && extent % 4 == 0; };
  if (!fits(config.height) || !fits(config.width)) {
    throw_error(Error::Kind::usage,
                "translator: pictures are {}x{}, but height and width must be multiples of 4 and at least {}",
                config.height, config.width, kLeastExtent);
  }
  if (config.channels < 1 || config.channels > 4 || config.filters < 1 || config.blocks < 1) {
    throw_error(Error::Kind::usage, "translator: {} channels must be 1 to 4, {} filters and {} blocks at least 1",
                config.channels, config.filters, config.blocks);
  }
}

std::vector<int> feature_channels(const TranslatorConfig& config) {
  const int wide = 4 * config.filters;
  std::vector<int> channels = {config.channels, 2 * config.filters, wide, wide};
  if (middle_of(static_cast<std::size_t>(config.blocks)) > 0) {
    channels.push_back(wide);
  }
  return channels;
}

Translator::Translator(Parameters& parameters, const TranslatorConfig& config)
    : first_(parameters, "first", kInside, checked(config).channels, config.filters, 7, kNormed), last_([&] {
        const int filters = config.filters;
        halving_.emplace_back(ConvSame(parameters, "down1", filters, 2 * filters, 3, kNormed));
        halving_.emplace_back(ConvSame(parameters, "down2", 2 * filters, 4 * filters, 3, kNormed));
        for (int i = 1; i <= config.blocks; ++i) {
          const std::string name = fmt::format("block{}", i);
          blocks_.push_back({Conv(parameters, name + "/first", kInside, 4 * filters, 4 * filters, 3, kNormed),
                             Conv(parameters, name + "/second", kInside, 4 * filters, 4 * filters, 3, kNormed)});
        }
        doubling_.emplace_back(ConvSame(parameters, "up1", 4 * filters, 2 * filters, 3, kNormed));
        doubling_.emplace_back(ConvSame(parameters, "up2", 2 * filters, filters, 3, kNormed));
        return Conv(parameters, "last", kInside, filters, config.channels, 7,
                    {{ActivationKind::tanh}, small_and_normal});
      }()) {}

Translated Translator::operator()(Program& program, const BoundParameters& weights, Value pictures) const {
  const Program::Scope scope(program, "translator");
  Translated result;
  result.features = {pictures};
  Value x = normed_and_bent(program, first_(program, weights, with_mirrored_margin(program, pictures, 3)));
  for (const Conv& conv : halving_) {
    const Value wide = conv(program, weights, x);
    result.features.push_back(wide);
    x = halved(program, normed_and_bent(program, wide));
  }
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const Block& block = blocks_[i];
    Value y = normed_and_bent(program, block.first(program, weights, with_mirrored_margin(program, x, 1)));
    y = normed(program, block.second(program, weights, with_mirrored_margin(program, y, 1)));
    x = ops::add(program, x, y);
    if (i == 0 || i == middle_of(blocks_.size())) {
      result.features.push_back(x);
    }
  }
  for (const Conv& conv : doubling_) {
    x = normed_and_bent(program, conv(program, weights, enlarge_bilinearly(program, x, 2)));
  }
  result.pictures = last_(program, weights, with_mirrored_margin(program, x, 3));
  return result;
}

}  // namespace duel

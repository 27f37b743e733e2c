#include "engine/models/classic.h"

#include "engine/nn/classes.h"
#include "engine/nn/layers.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>

namespace duel {

namespace {

// The classes, where there are some.
Value second_of(std::span<const Value> inputs) {
  return inputs.size() > 1 ? inputs[1] : Value{};
}

class ClassicGenerator : public Network {
public:
  explicit ClassicGenerator(const ClassicConfig& config)
      : Network("generator"),
        picture_{1, config.height, config.width, config.channels},
        classes_(parameters(), config.classes, config.latent) {
    int width = classes_.columns();
    for (const int next : config.generator_widths) {
      layers_.emplace_back(parameters(), fmt::format("dense{}", layers_.size() + 1), width, next,
                           config.generator_activation);
      width = next;
    }
    layers_.emplace_back(parameters(), fmt::format("dense{}", layers_.size() + 1), width,
                         static_cast<int>(picture_.count()), Activation{ActivationKind::tanh});
  }

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& program = pass.program;
    const Program::Scope scope(program, name());
    const Value z = inputs[0];
    Value x = classes_(program, pass.weights, z, second_of(inputs));
    for (const Dense& layer : layers_) {
      x = layer(program, pass.weights, x, program.dtype(z));
    }
    return {program.reshape(x, picture_.with_rows(program.shape(z)[0]))};
  }

private:
  Shape picture_;
  ClassInput classes_;
  std::vector<Dense> layers_;
};

class ClassicDiscriminator : public Network {
public:
  explicit ClassicDiscriminator(const ClassicConfig& config) : Network("discriminator") {
    int channels = config.channels;
    for (const int next : config.discriminator_channels) {
      convolutions_.emplace_back(parameters(), fmt::format("conv{}", convolutions_.size() + 1),
                                 Conv2d::same(config.discriminator_kernel), channels, next, config.discriminator_kernel,
                                 config.discriminator_activation);
      channels = next;
    }
    const std::int64_t activations = std::int64_t{config.height} * config.width * channels;
    if (activations > std::numeric_limits<int>::max()) {
      throw_error(Error::Kind::usage,
                  "discriminator: {} channels of {}x{} pictures are {} numbers, but at most {} go into a dense layer; "
                  "fewer channels or smaller pictures are needed",
                  channels, config.height, config.width, activations, std::numeric_limits<int>::max());
    }
    int width = static_cast<int>(activations);
    for (const int next : config.discriminator_widths) {
      layers_.emplace_back(parameters(), fmt::format("dense{}", layers_.size() + 1), width, next,
                           config.discriminator_activation);
      width = next;
    }
    last_.emplace(parameters(), fmt::format("dense{}", layers_.size() + 1), width, 1, Activation{});
    classes_.emplace(parameters(), config.classes, width);
  }

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Program& program = pass.program;
    const Program::Scope scope(program, name());
    const Value pictures = inputs[0];
    Value x = pictures;
    for (const Conv& convolution : convolutions_) {
      x = convolution(program, pass.weights, x);
    }
    const Shape& shape = program.shape(x);
    x = program.reshape(x, {shape[0], static_cast<int>(shape.row_count())});
    for (const Dense& layer : layers_) {
      x = layer(program, pass.weights, x, program.dtype(pictures));
    }
    const Value logits = (*last_)(program, pass.weights, x, DType::f32);
    return {(*classes_)(program, pass.weights, x, logits, second_of(inputs))};
  }

private:
  std::vector<Conv> convolutions_;
  std::vector<Dense> layers_;
  std::optional<Dense> last_;  // behind as many layers as there are
  std::optional<ClassProjection> classes_;
};

}  // namespace

std::unique_ptr<Network> make_classic_generator(const ClassicConfig& config) {
  return std::make_unique<ClassicGenerator>(config);
}

std::unique_ptr<Network> make_classic_discriminator(const ClassicConfig& config) {
  return std::make_unique<ClassicDiscriminator>(config);
}

}  // namespace duel

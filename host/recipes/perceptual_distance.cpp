#include "host/recipes/perceptual_distance.h"

#include "engine/models/classifier.h"
#include "engine/nn/difference.h"
#include "engine/ops/ops.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <memory>
#include <span>

namespace duel {

namespace {

constexpr const char* kClassifier = "classifier";  // as recipe classify calls it

// From pictures to its maps.
class MapsOfClassifier : public Network {
public:
  explicit MapsOfClassifier(const ClassifierConfig& config) : Network(kClassifier), classifier_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return classifier_(pass.program, pass.weights, pass.state, pass.training, inputs[0]).maps;
  }

private:
  Classifier classifier_;
};

ClassifierConfig config_of(const Options::Perceptual& options) {
  ClassifierConfig config;
  config.channels = options.channels;
  config.classes = options.classes;
  config.filters = options.filters;
  config.blocks = options.blocks;
  config.stages = options.stages;
  config.stem_stride = options.stem_stride;
  return config;
}

}  // namespace

PerceptualDistance::PerceptualDistance(const Options& options, const Field& picture, std::int64_t steps)
    : options_(options), steps_(steps) {
  if (!is_on()) {
    return;
  }
  check_classifier(config_of(options.perceptual));
  if (options.perceptual.channels != picture.shape[3]) {
    throw_error(Error::Kind::usage,
                "perceptual.run = {}: its classifier looks at pictures of {} channels, but these have {}",
                options.perceptual.run, options.perceptual.channels, picture.shape[3]);
  }
}

NamedNetwork PerceptualDistance::make_network() const {
  return {std::make_unique<MapsOfClassifier>(config_of(options_.perceptual)), false, false};
}

std::vector<Pretrained> PerceptualDistance::pretrained() const {
  return is_on() ? std::vector<Pretrained>{{kClassifier, options_.perceptual.run}} : std::vector<Pretrained>();
}

Value PerceptualDistance::loss(StepRecorder& r, Value made, Value real) const {
  Program& p = r.program();
  const std::vector<Value> maps = r.run(kClassifier, {made}), wanted = r.run(kClassifier, {real});
  Value sum;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const Value its = relative_squared_difference(p, maps[i], wanted[i]);
    sum = i == 0 ? its : ops::add(p, sum, its);
  }
  const Value distance = ops::affine(p, sum, 1.0 / static_cast<double>(maps.size()));
  r.metric("perceptual", distance);
  return r.scaled(resolve("perceptual.weight", options_.perceptual.weight, steps_, options_.train.batch), distance);
}

}  // namespace duel

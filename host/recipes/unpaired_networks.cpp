#include "host/recipes/unpaired_networks.h"

#include "engine/models/patch_discriminator.h"
#include "engine/models/place_projector.h"
#include "engine/models/translator.h"

#include <algorithm>
#include <span>
#include <utility>

namespace duel {

namespace {

constexpr int kMostHalvings = 3;  // a logit then sees 70x70 pixels, as in both papers

TranslatorConfig translator_config(const Options::Model& model, const Field& picture) {
  return {picture.shape[1], picture.shape[2], picture.shape[3], model.filters, model.blocks};
}

PatchDiscriminatorConfig judge_config(const Options::Model& model, const Field& picture) {
  PatchDiscriminatorConfig config;
  config.height = picture.shape[1];
  config.width = picture.shape[2];
  config.channels = picture.shape[3];
  config.filters = model.filters;
  config.halvings = 1;
  while (config.halvings < kMostHalvings && std::min(config.height, config.width) >= 3 << (config.halvings + 1)) {
    ++config.halvings;
  }
  return config;
}

class TranslatorNetwork : public Network {
public:
  TranslatorNetwork(const std::string& name, const TranslatorConfig& config)
      : Network(name), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    Translated made = body_(pass.program, pass.weights, inputs[0]);
    std::vector<Value> outputs = {made.pictures};
    outputs.insert(outputs.end(), made.features.begin(), made.features.end());
    return outputs;
  }

private:
  Translator body_;
};

class PatchJudge : public Network {
public:
  PatchJudge(const std::string& name, const PatchDiscriminatorConfig& config)
      : Network(name), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass.program, pass.weights, inputs[0])};
  }

private:
  PatchDiscriminator body_;
};

class ProjectorNetwork : public Network {
public:
  ProjectorNetwork(const std::string& name, const PlaceProjectorConfig& config)
      : Network(name), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return body_(pass.program, pass.weights, inputs);
  }

private:
  PlaceProjector body_;
};

}  // namespace

std::unique_ptr<Network> make_translator(const std::string& name, const Options::Model& model, const Field& picture) {
  return std::make_unique<TranslatorNetwork>(name, translator_config(model, picture));
}

std::unique_ptr<Network> make_patch_judge(const std::string& name, const Options::Model& model, const Field& picture) {
  return std::make_unique<PatchJudge>(name, judge_config(model, picture));
}

std::unique_ptr<Network> make_projector(const std::string& name, const Options::Model& model, const Field& picture) {
  return std::make_unique<ProjectorNetwork>(
      name, PlaceProjectorConfig{feature_channels(translator_config(model, picture)), model.features});
}

}  // namespace duel

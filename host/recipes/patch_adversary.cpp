#include "host/recipes/patch_adversary.h"

#include "engine/models/patch_discriminator.h"
#include "engine/models/unet_discriminator.h"
#include "engine/ops/ops.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <memory>
#include <span>
#include <utility>

namespace duel {

namespace {

class PatchNetwork : public Network {
public:
  explicit PatchNetwork(const PatchDiscriminatorConfig& config)
      : Network(PatchAdversary::kName), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass.program, pass.weights, inputs[0])};
  }

private:
  PatchDiscriminator body_;
};

class PixelNetwork : public Network {
public:
  explicit PixelNetwork(const UnetDiscriminatorConfig& config)
      : Network(PatchAdversary::kName), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass, inputs[0])};
  }

private:
  UnetDiscriminator body_;
};

PatchDiscriminatorConfig patches_of(const Options::Model& model, const Shape& picture, int condition_channels) {
  PatchDiscriminatorConfig config;
  config.height = picture[1];
  config.width = picture[2];
  config.channels = condition_channels + picture[3];
  config.filters = model.adversary_filters;
  config.is_normalized = model.adversary_norm == "instance";
  return config;
}

UnetDiscriminatorConfig pixels_of(const Options::Model& model, const Shape& picture, int condition_channels) {
  return {picture[1], picture[2], condition_channels + picture[3], model.adversary_filters};
}

bool judges_pixels(const Options& options) {
  return options.model.adversary == "unet";
}

void check_judge(const Options& options, const Shape& picture, int condition_channels) {
  const bool is_of_pixels = judges_pixels(options);
  if (is_of_pixels && options.model.adversary_norm != "none") {
    throw_error(Error::Kind::usage,
                "model.adversary_norm = {}: is of discriminators of patches, but model.adversary = unet is spectrally "
                "normalised; leave it out",
                options.model.adversary_norm);
  }
  try {
    if (is_of_pixels) {
      check_unet_discriminator(pixels_of(options.model, picture, condition_channels));
    } else {
      check_patch_discriminator(patches_of(options.model, picture, condition_channels));
    }
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("loss.adversary: {}; choose {} data.crop or --size, or loss.adversary = 0",
                                          error.what(), is_of_pixels ? "another" : "a larger"));
  }
}

}  // namespace

PatchAdversary::PatchAdversary(const Options& options, std::int64_t steps, const Shape& picture, int condition_channels)
    : options_(options),
      steps_(steps),
      picture_(picture),
      condition_channels_(condition_channels),
      loss_(loss_named(options.loss.kind)) {
  if (is_on()) {
    check_judge(options, picture, condition_channels);
  }
}

NamedNetwork PatchAdversary::make_network() const {
  std::unique_ptr<Network> network;
  if (judges_pixels(options_)) {
    network = std::make_unique<PixelNetwork>(pixels_of(options_.model, picture_, condition_channels_));
  } else {
    network = std::make_unique<PatchNetwork>(patches_of(options_.model, picture_, condition_channels_));
  }
  return {std::move(network), false, true};
}

std::vector<Phase> PatchAdversary::phases(const Make& make) const {
  if (!is_on()) {
    return {};
  }
  std::vector<Phase> phases = {
      {"d_main", {kName}, [this, make](StepRecorder& r) { record(r, make(r, "d_")); }},
  };
  if (is_lazy()) {
    phases.push_back({"d_penalty",
                      {kName},
                      [this, make](StepRecorder& r) { record_penalty(r, make(r, "penalty_")); },
                      options_.loss.penalty_every});
  }
  return phases;
}

std::vector<std::string> PatchAdversary::prefixes() const {
  std::vector<std::string> prefixes;
  if (is_on()) {
    prefixes.emplace_back("d_");
  }
  if (is_on() && is_lazy()) {
    prefixes.emplace_back("penalty_");
  }
  return prefixes;
}

std::vector<std::string> PatchAdversary::metrics() const {
  if (!is_on()) {
    return {};
  }
  std::vector<std::string> names = {"d_loss"};
  if (is_relativistic(loss_)) {
    names.emplace_back("d_pairs_right");
  } else {
    names.insert(names.end(), {"d_accuracy_real", "d_accuracy_fake"});
  }
  names.emplace_back("d_grad_norm");
  if (has_r1()) {
    names.emplace_back("r1");
  }
  if (is_lazy()) {
    names.insert(names.end(), {"penalty_loss", "penalty_grad_norm"});
  }
  return names;
}

Value PatchAdversary::loss(StepRecorder& r, const JudgedPictures& pictures) const {
  const Value made = logits(r, pictures.condition, pictures.made);
  const Value real = is_relativistic(loss_) ? logits(r, pictures.condition, pictures.real) : Value{};
  return weighted(r, "loss.adversary", options_.loss.adversary, 1, generator_loss(r.program(), loss_, made, real));
}

Value PatchAdversary::logits(StepRecorder& r, Value condition, Value pictures) const {
  return r.run(kName, {ops::concat_columns(r.program(), condition, pictures)})[0];
}

Value PatchAdversary::weighted(StepRecorder& r, const char* key, const ScheduleOption& weight, double factor,
                               Value loss) const {
  Schedule schedule = resolve(key, weight, steps_, options_.train.batch);
  schedule.from *= factor;
  schedule.to *= factor;
  return r.scaled(schedule, loss);
}

// One that runs every few steps weighs so much the more.
Value PatchAdversary::penalty(StepRecorder& r, Value real, Value logits) const {
  const Value squares = ops::mean(r.program(), squared_gradient_norms(r.program(), logits, real));
  r.metric("r1", squares);
  return weighted(r, "loss.r1", options_.loss.r1, 0.5 * (is_lazy() ? options_.loss.penalty_every : 1), squares);
}

void PatchAdversary::update(StepRecorder& r, Value loss, const char* name, const char* norm) const {
  r.update(loss, adam_rule(options_, steps_, "optimizer.discriminator_learning_rate",
                           options_.optimizer.discriminator_learning_rate, name, norm));
}

// Both kinds go through as one batch where no penalty wants the gradient of one of them alone.
void PatchAdversary::record(StepRecorder& r, const JudgedPictures& pictures) const {
  Program& p = r.program();
  const auto& [condition, x, made] = pictures;
  const bool is_penalized = has_r1() && !is_lazy();
  Value real, fake;
  if (is_penalized) {
    real = logits(r, condition, x);
    fake = logits(r, condition, made);
  } else {
    const int batch = p.shape(x)[0];
    const Value both = logits(r, ops::concat_rows(p, condition, condition), ops::concat_rows(p, x, made));
    real = ops::slice_rows(p, both, 0, batch);
    fake = ops::slice_rows(p, both, batch, batch);
  }
  if (is_relativistic(loss_)) {  // whose logits mean nothing but beside each other
    r.metric("d_pairs_right", fraction_ordered(p, real, fake));
  } else {
    r.metric("d_accuracy_real", accuracy_on_real(p, loss_, real));
    r.metric("d_accuracy_fake", accuracy_on_fake(p, loss_, fake));
  }
  Value loss = discriminator_loss(p, loss_, real, fake);
  if (is_penalized) {
    loss = ops::add(p, loss, penalty(r, x, real));
  }
  update(r, loss, "d_loss", "d_grad_norm");
}

void PatchAdversary::record_penalty(StepRecorder& r, const JudgedPictures& pictures) const {
  update(r, penalty(r, pictures.real, logits(r, pictures.condition, pictures.real)), "penalty_loss",
         "penalty_grad_norm");
}

}  // namespace duel

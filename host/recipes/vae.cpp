#include "host/recipes/vae.h"

#include "engine/models/vae.h"
#include "engine/ops/ops.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/fields.h"
#include "host/recipes/step_recorder.h"
#include "kernels/check.h"

#include <cmath>
#include <numbers>
#include <numeric>

namespace duel {

namespace {

constexpr const char* kEncoder = "encoder";
constexpr const char* kDecoder = "decoder";
constexpr double kErrorFromZeroToOne = 0.25;  // of a squared error: a picture in 0..1 is (x + 1) / 2

double mean_of(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Field number_field(const std::string& name) {
  Field field;
  field.name = name;
  field.kind = FieldKind::vector;
  field.shape = {1};
  field.dtype = DType::f32;
  return field;
}

// Pictures to the mean and the log variance of their posteriors.
class EncoderNetwork : public Network {
public:
  explicit EncoderNetwork(const VaeConfig& config) : Network(kEncoder), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    const Posterior posterior = body_(pass.program, pass.weights, inputs[0]);
    return {posterior.mean, posterior.log_variance};
  }

private:
  VaeEncoder body_;
};

// Latents to pictures.
class DecoderNetwork : public Network {
public:
  explicit DecoderNetwork(const VaeConfig& config) : Network(kDecoder), body_(parameters(), config) {}

  std::vector<Value> forward(const Pass& pass, std::span<const Value> inputs) const override {
    return {body_(pass.program, pass.weights, inputs[0])};
  }

private:
  VaeDecoder body_;
};

class Vae : public Recipe {
public:
  Vae(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options), steps_(steps), picture_(field_of(fields, "main", "picture", "vae")) {
    config_ = {picture_.shape[1], picture_.shape[2], picture_.shape[3], options.model.latent, options.model.filters};
    check_vae(config_);
    if (options.data.labels) {
      throw_error(Error::Kind::usage, "recipe vae: learns nothing by class, so data.labels must be false");
    }
  }

  std::string name() const override { return "vae"; }

  std::vector<NamedNetwork> make_networks() const override {
    std::vector<NamedNetwork> networks;
    networks.push_back({std::make_unique<EncoderNetwork>(config_), true, true});
    networks.push_back({std::make_unique<DecoderNetwork>(config_), true, true});
    return networks;
  }

  std::vector<Phase> phases() const override {
    return {{"main", {kEncoder, kDecoder}, [this](StepRecorder& r) { record_step(r); }}};
  }

  std::vector<DrawnField> batches() const override { return {{"reals", "main", "picture"}}; }

  std::vector<std::string> metrics() const override { return {"loss", "elbo_bits_per_dim", "mse", "kl", "grad_norm"}; }

  Sampling sampling() const override {
    Sampling sampling;
    sampling.inputs = {latent_field()};
    sampling.outputs = {picture_};
    sampling.networks = {kDecoder};
    sampling.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kDecoder, {inputs[0]});
    };
    return sampling;
  }

  // Pictures to the mean and the log variance of the latents they may come from.
  std::map<std::string, Sampling> single_networks() const override {
    Sampling encoding;
    encoding.inputs = {picture_};
    for (const char* name : {"mean", "log_variance"}) {
      Field field = latent_field();
      field.name = name;
      encoding.outputs.push_back(field);
    }
    encoding.networks = {kEncoder};
    encoding.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kEncoder, {inputs[0]});
    };
    return {{kEncoder, encoding}};
  }

  // From the posterior's mean.
  std::optional<Sampling> reconstruction() const override {
    Sampling sampling;
    sampling.inputs = {picture_};
    sampling.outputs = {picture_};
    sampling.networks = {kEncoder, kDecoder};
    sampling.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kDecoder, {run(kEncoder, {inputs[0]})[0]});
    };
    return sampling;
  }

  std::optional<HeldOutMeasure> held_out() const override {
    HeldOutMeasure measure;
    measure.sampling.inputs = {picture_, latent_field()};
    for (const char* name : {"squared_error", "squared_error_of_mean", "divergence"}) {
      measure.sampling.outputs.push_back(number_field(name));
    }
    measure.sampling.networks = {kEncoder, kDecoder};
    measure.sampling.record = [](Program& p, const Sampling::Run& run, std::span<const Value> inputs) {
      const std::vector<Value> encoded = run(kEncoder, {inputs[0]});
      const Posterior posterior{encoded[0], encoded[1]};
      const Value again = run(kDecoder, {sample_posterior(p, posterior, inputs[1])})[0];
      const Value of_mean = run(kDecoder, {posterior.mean})[0];
      return std::vector<Value>{squared_errors(p, inputs[0], again), squared_errors(p, inputs[0], of_mean),
                                divergence_from_prior(p, posterior)};
    };
    measure.metrics = {"held_out_elbo_bits_per_dim", "held_out_mse", "held_out_kl"};
    measure.summarize = [numbers = numbers()](const Source&, HeldOutMeasure::Rows outputs) {
      const double kl = mean_of(outputs[2]);
      return std::vector<double>{
          vae_bits_per_dim(kl + optimal_sigma_loss(mean_of(outputs[0]), numbers), numbers),
          kErrorFromZeroToOne * mean_of(outputs[1]),
          kl,
      };
    };
    return measure;
  }

private:
  Field latent_field() const {
    Field latent = number_field("latent");
    latent.shape = {1, config_.latent};
    return latent;
  }

  std::int64_t numbers() const { return picture_.shape.count(); }  // of a picture

  Schedule resolved(const char* key, const ScheduleOption& option) const {
    return resolve(key, option, steps_, options_.train.batch);
  }

  UpdateRule rule() const {
    return adam_rule(options_, steps_, "optimizer.learning_rate", options_.optimizer.learning_rate, "loss",
                     "grad_norm");
  }

  void record_step(StepRecorder& r) const {
    Program& p = r.program();
    const Value x = r.batch("reals", "main", "picture");
    const std::vector<Value> encoded = r.run(kEncoder, {x});
    const Posterior posterior{encoded[0], encoded[1]};
    const Value z = sample_posterior(p, posterior, r.normal("noise", {r.batch_size(), config_.latent}));
    const Value again = r.run(kDecoder, {ops::cast(p, z, r.compute())})[0];
    const Value mse = ops::mean(p, squared_errors(p, x, again));
    const Value divergence = ops::mean(p, divergence_from_prior(p, posterior));
    const Value loss = ops::add(p, divergence, optimal_sigma_loss(p, mse, numbers()));
    const double zero = vae_bits_per_dim(0, numbers());
    r.metric("elbo_bits_per_dim", ops::affine(p, loss, vae_bits_per_dim(1, numbers()) - zero, zero));
    r.metric("mse", ops::affine(p, mse, kErrorFromZeroToOne));
    r.metric("kl", divergence);
    r.update(loss, rule());
    for (const char* network : {kEncoder, kDecoder}) {
      r.average(network, resolved("optimizer.ema_decay", options_.optimizer.ema_decay));
    }
  }

  Options options_;
  std::int64_t steps_;
  Field picture_;
  VaeConfig config_;
};

}  // namespace

std::unique_ptr<Recipe> make_vae(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Vae>(options, fields, steps);
}

double vae_bits_per_dim(double loss, std::int64_t numbers_a_picture) {
  return loss / (static_cast<double>(numbers_a_picture) * std::numbers::ln2) +
         std::log2(static_cast<double>(kPictureScale.divisor));
}

}  // namespace duel

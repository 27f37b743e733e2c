#include "host/recipes/gan.h"

#include "engine/nn/losses.h"
#include "engine/ops/ops.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/augmentation.h"
#include "host/recipes/fields.h"
#include "host/recipes/gan_networks.h"
#include "host/recipes/networks.h"
#include "host/recipes/step_recorder.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

namespace {

// The discriminator's view of a batch: logits, and squared gradient norms where R1 or R2 want them.
struct Judged {
  Value real, fake;                      // logits
  Value real_gradients, fake_gradients;  // |dD/dx|^2 per picture, or none
};

// A network's inputs: rows, and their classes where the recipe knows some.
std::vector<Value> with_classes(Value rows, Value classes) {
  return classes.exists() ? std::vector<Value>{rows, classes} : std::vector<Value>{rows};
}

Value logits_of(StepRecorder& r, Value pictures, Value classes) {
  return r.run(kDiscriminator, with_classes(pictures, classes))[0];
}

// A batch of real pictures, and of which classes they are; generated ones take the same.
struct Reals {
  Value pictures, classes;
};

// One of the discriminator's updates of a step, of which the first has the plain names.
struct Update {
  std::string suffix;  // "", "_2", "_3"
  bool is_first() const { return suffix.empty(); }
};

class Gan : public Recipe {
public:
  Gan(const Options& options, const Fields& fields, std::int64_t steps)
      : options_(options),
        steps_(steps),
        picture_(field_of(fields, "main", "picture", "gan")),
        classes_(class_names(options, fields)),
        augmentation_(options, picture_, steps),
        loss_(loss_named(options.loss.kind)) {}

  std::string name() const override { return "gan"; }

  std::vector<NamedNetwork> make_networks() const override {
    GanNetworks made = make_gan_networks(options_.model, picture_.shape, static_cast<int>(classes_.size()));
    std::vector<NamedNetwork> networks;
    networks.push_back({std::move(made.generator), true, true});
    networks.push_back({std::move(made.discriminator), false, true});
    return networks;
  }

  std::vector<Phase> phases() const override {
    std::vector<Phase> phases;
    for (const Update& update : updates()) {
      phases.push_back({"d_main" + update.suffix, {kDiscriminator}, [this, update](StepRecorder& r) {
                          record_discriminator(r, update);
                        }});
    }
    if (is_lazy()) {
      phases.push_back({"d_penalty",
                        {kDiscriminator},
                        [this](StepRecorder& r) { record_penalties(r); },
                        options_.loss.penalty_every});
    }
    phases.push_back({"g_main", {kGenerator}, [this](StepRecorder& r) { record_generator(r); }});
    return phases;
  }

  std::vector<DrawnField> batches() const override {
    std::vector<DrawnField> batches;
    const auto add = [&](const std::string& draw, bool has_pictures = true) {
      if (has_pictures) {
        batches.push_back({draw, "main", "picture"});
      }
      if (is_by_class()) {
        batches.push_back({draw, "main", "label"});
      }
    };
    for (const Update& update : updates()) {
      add("d_reals" + update.suffix);
    }
    if (is_lazy()) {
      add("penalty_reals");
    }
    add("g_reals", is_relativistic(loss_));
    return batches;
  }

  std::vector<std::string> metrics() const override {
    std::vector<std::string> names = {"d_loss", "g_loss"};
    if (is_relativistic(loss_)) {
      names.emplace_back("d_pairs_right");
    } else {
      names.insert(names.end(), {"d_accuracy_real", "d_accuracy_fake"});
    }
    names.insert(names.end(), {"d_grad_norm", "g_grad_norm"});
    if (has_r1()) {
      names.emplace_back("r1");
    }
    if (has_r2()) {
      names.emplace_back("r2");
    }
    if (has_gradient_penalty()) {
      names.emplace_back("gradient_penalty");
    }
    if (is_lazy()) {
      names.insert(names.end(), {"penalty_loss", "penalty_grad_norm"});
    }
    for (const Update& update : updates()) {
      if (!update.is_first()) {
        names.insert(names.end(), {"d_loss" + update.suffix, "d_grad_norm" + update.suffix});
      }
    }
    for (const std::string& name : augmentation_.metrics()) {
      names.push_back(name);
    }
    return names;
  }

  Sampling sampling() const override {
    Sampling sampling;
    Field latent;
    latent.name = "latent";
    latent.kind = FieldKind::vector;
    latent.shape = {1, options_.model.latent};
    latent.dtype = DType::f32;
    sampling.inputs = {latent};
    if (is_by_class()) {
      Field classes;
      classes.name = "classes";
      classes.kind = FieldKind::attributes;
      classes.shape = {1, static_cast<int>(classes_.size())};
      classes.dtype = DType::f32;
      classes.names = classes_;
      sampling.inputs.push_back(classes);
    }
    sampling.outputs = {picture_};
    sampling.networks = {kGenerator};
    sampling.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kGenerator, {inputs.begin(), inputs.end()});
    };
    return sampling;
  }

  std::map<std::string, Sampling> single_networks() const override {
    Sampling judging;
    judging.inputs = {picture_};
    if (is_by_class()) {
      judging.inputs.push_back(label_field("classes", classes_));
    }
    Field logits;
    logits.name = "logits";
    logits.kind = FieldKind::vector;
    logits.shape = {1, 1};
    logits.dtype = DType::f32;
    judging.outputs = {logits};
    judging.networks = {kDiscriminator};
    judging.record = [](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
      return run(kDiscriminator, {inputs.begin(), inputs.end()});
    };
    return {{kDiscriminator, judging}};
  }

  std::map<std::string, Sampling> answering_networks() const override { return single_networks(); }

private:
  static std::vector<std::string> class_names(const Options& options, const Fields& fields) {
    if (!options.data.labels) {
      return {};
    }
    try {
      return field_of(fields, "main", "label", "gan").names;
    } catch (const Error& error) {
      throw Error(error.kind(), std::string(error.what()) + "; data.labels = false trains without classes");
    }
  }

  bool is_by_class() const { return !classes_.empty(); }
  bool has_r1() const { return !options_.loss.r1.is_zero(); }
  bool has_r2() const { return !options_.loss.r2.is_zero(); }
  bool has_gradient_penalty() const { return !options_.loss.gradient_penalty.is_zero(); }
  // Penalties in a phase of their own, every few steps.
  bool is_lazy() const { return options_.loss.penalty_every > 1 && (has_r1() || has_r2() || has_gradient_penalty()); }

  std::vector<Update> updates() const {
    std::vector<Update> all = {{""}};
    for (int i = 2; i <= options_.optimizer.d_updates; ++i) {
      all.push_back({fmt::format("_{}", i)});
    }
    return all;
  }

  Schedule resolved(const char* key, const ScheduleOption& option) const {
    return resolve(key, option, steps_, options_.train.batch);
  }

  UpdateRule rule(const char* key, const ScheduleOption& learning_rate, const std::string& loss,
                  const std::string& norm) const {
    return adam_rule(options_, steps_, key, learning_rate, loss, norm);
  }

  UpdateRule discriminator_rule(const std::string& loss, const std::string& norm) const {
    return rule("optimizer.discriminator_learning_rate", options_.optimizer.discriminator_learning_rate, loss, norm);
  }

  Value classes_of(StepRecorder& r, const std::string& draw) const {
    return is_by_class() ? r.batch(draw, "main", "label") : Value{};
  }

  Value real_pictures(StepRecorder& r, const std::string& draw) const {
    return augmentation_.mirrored(r, draw + "_mirror", r.batch(draw, "main", "picture"));
  }

  Reals reals(StepRecorder& r, const std::string& draw) const {
    const Value pictures = real_pictures(r, draw);
    return {pictures, classes_of(r, draw)};
  }

  Value generated(StepRecorder& r, const std::string& draw, Value classes) const {
    const Value z = r.normal(draw, {r.batch_size(), options_.model.latent});
    return r.run(kGenerator, with_classes(ops::cast(r.program(), z, r.compute()), classes))[0];
  }

  // Real and generated pictures go through in one batch; apart only where just one of the two is regularised, which
  // then spares the other's input gradient, and where the network mixes rows, which would tell the one by the other.
  // Gradients are with respect to the pictures before augmentation. `augment` is the name of a draw.
  Judged judge(StepRecorder& r, const Reals& reals, Value fake, const std::string& augment, bool is_regularised) const {
    const Value real = reals.pictures, classes = reals.classes;
    const int batch = r.batch_size();
    const Value draws = augmentation_.draws(r, augment, 2 * batch);
    const bool r1 = is_regularised && has_r1(), r2 = is_regularised && has_r2();
    Judged judged;
    if (r1 != r2 || r.networks()[kDiscriminator].mixes_rows()) {
      const auto logits_at = [&](Value pictures, int begin) {
        const Value own = draws.exists() ? ops::slice_rows(r.program(), draws, begin, batch) : Value{};
        return logits_of(r, augmentation_.augmented(r, pictures, own), classes);
      };
      judged.real = logits_at(real, 0);
      judged.fake = logits_at(fake, batch);
      if (r1) {
        judged.real_gradients = squared_gradient_norms(r.program(), judged.real, real);
      }
      if (r2) {
        judged.fake_gradients = squared_gradient_norms(r.program(), judged.fake, fake);
      }
      return judged;
    }
    const Value both = ops::concat_rows(r.program(), real, fake);
    const Value of_both = is_by_class() ? ops::concat_rows(r.program(), classes, classes) : Value{};
    const Value logits = logits_of(r, augmentation_.augmented(r, both, draws), of_both);
    judged.real = ops::slice_rows(r.program(), logits, 0, batch);
    judged.fake = ops::slice_rows(r.program(), logits, batch, batch);
    if (r1) {
      const Value squares = squared_gradient_norms(r.program(), logits, both);
      judged.real_gradients = ops::slice_rows(r.program(), squares, 0, batch);
      judged.fake_gradients = ops::slice_rows(r.program(), squares, batch, batch);
    }
    return judged;
  }

  // loss + weight * penalty; where there is no loss yet, the second alone.
  static Value add_penalty(StepRecorder& r, Value loss, Value penalty, const Schedule& weight) {
    const Value weighted = r.scaled(weight, penalty);
    return loss.exists() ? ops::add(r.program(), loss, weighted) : weighted;
  }

  // The penalties behind `loss`, which need not exist. One that runs every few steps weighs so much the more, as in
  // Karras et al. (2020), section 3.1. `shares` is the name of a draw.
  Value penalised(StepRecorder& r, Value loss, const Judged& judged, const Reals& reals, Value fake,
                  const std::string& shares, bool is_logged) const {
    const Options::Loss& weights = options_.loss;
    const double times = is_lazy() ? weights.penalty_every : 1;
    Program& p = r.program();
    const auto add = [&](const char* key, const char* name, const ScheduleOption& weight, double factor,
                         Value penalty) {
      if (is_logged) {
        r.metric(name, penalty);
      }
      Schedule schedule = resolved(key, weight);
      schedule.from *= factor * times;
      schedule.to *= factor * times;
      loss = add_penalty(r, loss, penalty, schedule);
    };
    if (judged.real_gradients.exists()) {
      add("loss.r1", "r1", weights.r1, 0.5, ops::mean(p, judged.real_gradients));
    }
    if (judged.fake_gradients.exists()) {
      add("loss.r2", "r2", weights.r2, 0.5, ops::mean(p, judged.fake_gradients));
    }
    if (has_gradient_penalty()) {
      const Value mixed = mix_rows(p, r.uniform(shares, {r.batch_size()}), reals.pictures, fake);
      const Value draws = augmentation_.draws(r, shares + "_augment", r.batch_size());
      const Value logits = logits_of(r, augmentation_.augmented(r, mixed, draws), reals.classes);
      const Value squares = squared_gradient_norms(p, logits, mixed);
      add("loss.gradient_penalty", "gradient_penalty", weights.gradient_penalty, 1, wgan_gradient_penalty(p, squares));
    }
    return loss;
  }

  void record_discriminator(StepRecorder& r, const Update& update) const {
    Program& p = r.program();
    const Reals real = reals(r, "d_reals" + update.suffix);
    const Value fake = generated(r, "d_latents" + update.suffix, real.classes);
    const Judged judged = judge(r, real, fake, "d_augment" + update.suffix, !is_lazy());
    Value loss = discriminator_loss(p, loss_, judged.real, judged.fake);
    if (!is_lazy()) {
      loss = penalised(r, loss, judged, real, fake, "shares" + update.suffix, update.is_first());
    }
    if (update.is_first() && is_relativistic(loss_)) {  // whose logits mean nothing but beside each other
      r.metric("d_pairs_right", fraction_ordered(p, judged.real, judged.fake));
    } else if (update.is_first()) {
      r.metric("d_accuracy_real", accuracy_on_real(p, loss_, judged.real));
      r.metric("d_accuracy_fake", accuracy_on_fake(p, loss_, judged.fake));
    }
    if (update.is_first()) {
      augmentation_.adapt(r, judged.real, judged.fake);
    }
    r.update(loss, discriminator_rule("d_loss" + update.suffix, "d_grad_norm" + update.suffix));
  }

  void record_penalties(StepRecorder& r) const {
    const Reals real = reals(r, "penalty_reals");
    const Value fake = generated(r, "penalty_latents", real.classes);
    const Judged judged = has_r1() || has_r2() ? judge(r, real, fake, "penalty_augment", true) : Judged{};
    const Value loss = penalised(r, {}, judged, real, fake, "penalty_shares", true);
    r.update(loss, discriminator_rule("penalty_loss", "penalty_grad_norm"));
  }

  void record_generator(StepRecorder& r) const {
    const Options::Optimizer& o = options_.optimizer;
    const Value classes = classes_of(r, "g_reals");
    const Value fake = generated(r, "g_latents", classes);
    const auto judged = [&](Value pictures, const std::string& augment) {
      return logits_of(r, augmentation_.augmented(r, pictures, augmentation_.draws(r, augment, r.batch_size())),
                       classes);
    };
    const Value real_logits = is_relativistic(loss_) ? judged(real_pictures(r, "g_reals"), "g_reals_augment") : Value{};
    const Value loss = generator_loss(r.program(), loss_, judged(fake, "g_augment"), real_logits);
    r.update(loss, rule("optimizer.generator_learning_rate", o.generator_learning_rate, "g_loss", "g_grad_norm"));
    r.average(kGenerator, resolved("optimizer.ema_decay", o.ema_decay));
  }

  Options options_;
  std::int64_t steps_;
  Field picture_;
  std::vector<std::string> classes_;  // none where pictures are learnt without
  Augmentation augmentation_;
  LossKind loss_;
};

}  // namespace

std::unique_ptr<Recipe> make_gan(const Options& options, const Fields& fields, std::int64_t steps) {
  return std::make_unique<Gan>(options, fields, steps);
}

}  // namespace duel

#include "host/recipes/unpaired.h"

#include "engine/ops/ops.h"
#include "host/recipes/adam_rule.h"
#include "host/recipes/fields.h"
#include "kernels/check.h"

#include <span>

namespace duel {

namespace {

const Field& checked_picture(const Fields& fields, const char* recipe) {
  const Field& given = field_of(fields, kGiven, "picture", recipe);
  if (!fields.contains(kWanted)) {
    throw_error(Error::Kind::usage,
                "recipe {}: nothing says what the pictures are to become; give --into FOLDER (data.into), pictures of "
                "the other kind",
                recipe);
  }
  const Shape &its = given.shape, &other = field_of(fields, kWanted, "picture", recipe).shape;
  if (its != other) {
    throw_error(Error::Kind::usage,
                "recipe {}: the pictures of data.source are {}x{}x{} (height, width, channels), but those of data.into "
                "are {}x{}x{}; of photographs --size and --set data.colour=colour make them alike",
                recipe, its[1], its[2], its[3], other[1], other[2], other[3]);
  }
  return given;
}

// The mean of what was measured of each discriminator.
Value mean_of(Program& p, const std::vector<Value>& values) {
  Value sum;
  for (const Value value : values) {
    sum = add_weighted(p, sum, 1.0 / static_cast<double>(values.size()), value);
  }
  return sum;
}

}  // namespace

Value add_weighted(Program& program, Value sum, double weight, Value loss) {
  if (!loss.exists()) {
    return sum;
  }
  const Value weighted = weight == 1.0 ? loss : ops::affine(program, loss, weight);
  return sum.exists() ? ops::add(program, sum, weighted) : weighted;
}

Unpaired::Unpaired(const Options& options, const Fields& fields, std::int64_t steps, const char* recipe)
    : options_(options),
      steps_(steps),
      picture_(checked_picture(fields, recipe)),
      augmentation_(options, picture_, steps),
      kind_(loss_named(options.loss.kind)) {
  if (is_relativistic(kind_)) {
    throw_error(
        Error::Kind::usage,
        "recipe {}: loss.kind = relativistic judges pairs of a real and a generated picture, and here are none; "
        "lsgan, hinge, bce and wgan judge each by itself",
        recipe);
  }
}

Value Unpaired::pictures(StepRecorder& r, const std::string& draw, const char* source) const {
  return augmentation_.mirrored(r, draw + "_mirror", r.batch(draw, source, "picture"));
}

void Unpaired::update_discriminators(StepRecorder& r, const std::vector<Judged>& all) const {
  Program& p = r.program();
  Value loss;
  std::vector<Value> right_real, right_fake, penalties;
  for (const auto& [discriminator, real, fake] : all) {
    const Value real_logits = r.run(discriminator, {real})[0], fake_logits = r.run(discriminator, {fake})[0];
    loss = add_weighted(p, loss, 1, discriminator_loss(p, kind_, real_logits, fake_logits));
    right_real.push_back(accuracy_on_real(p, kind_, real_logits));
    right_fake.push_back(accuracy_on_fake(p, kind_, fake_logits));
    if (!options_.loss.r1.is_zero()) {
      const double share = 1.0 / static_cast<double>(p.shape(real_logits).row_count());
      penalties.push_back(ops::mean(p, squared_gradient_norms(p, ops::affine(p, real_logits, share), real)));
    }
  }
  r.metric("d_accuracy_real", mean_of(p, right_real));
  r.metric("d_accuracy_fake", mean_of(p, right_fake));
  if (!penalties.empty()) {
    const Value mean = mean_of(p, penalties);
    r.metric("r1", mean);
    Schedule weight = resolve("loss.r1", options_.loss.r1, steps_, options_.train.batch);
    weight.from *= 0.5 * static_cast<double>(penalties.size());
    weight.to *= 0.5 * static_cast<double>(penalties.size());
    loss = ops::add(p, loss, r.scaled(weight, mean));
  }
  r.update(loss, adam_rule(options_, steps_, "optimizer.discriminator_learning_rate",
                           options_.optimizer.discriminator_learning_rate, "d_loss", "d_grad_norm"));
}

std::vector<std::string> Unpaired::discriminator_metrics() const {
  std::vector<std::string> names = {"d_accuracy_real", "d_accuracy_fake", "d_grad_norm"};
  if (!options_.loss.r1.is_zero()) {
    names.emplace_back("r1");
  }
  return names;
}

Value Unpaired::adversary(StepRecorder& r, const char* discriminator, Value fake) const {
  Program& p = r.program();
  return ops::affine(p, generator_loss(p, kind_, r.run(discriminator, {fake})[0], {}), 2.0);
}

void Unpaired::update_generators(StepRecorder& r, Value loss, const std::vector<const char*>& averaged) const {
  const Options::Optimizer& o = options_.optimizer;
  r.update(loss, adam_rule(options_, steps_, "optimizer.generator_learning_rate", o.generator_learning_rate, "g_loss",
                           "g_grad_norm"));
  for (const char* network : averaged) {
    r.average(network, resolve("optimizer.ema_decay", o.ema_decay, steps_, options_.train.batch));
  }
}

Sampling Unpaired::sampling(const char* generator) const {
  Sampling sampling;
  sampling.inputs = {picture_};
  sampling.outputs = {picture_};
  sampling.networks = {generator};
  sampling.record = [generator](Program&, const Sampling::Run& run, std::span<const Value> inputs) {
    return std::vector<Value>{run(generator, {inputs[0]})[0]};
  };
  return sampling;
}

}  // namespace duel

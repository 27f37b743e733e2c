#include "host/recipes/gan.h"

#include "engine/nn/losses.h"
#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "host/config/not_yet.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

using Block = Parameters::Block;

// What both phases share while they are recorded.
struct Recorder {
  Recorder(const GanModel& gan, const Options& run_options, const GanBuffers& run_buffers)
      : model(gan),
        options(run_options),
        buffers(run_buffers),
        columns(gan_metrics(run_options)),
        compute(run_options.precision == "bf16" ? DType::bf16 : DType::f32),
        pictures(program.bind("pictures", run_buffers.pictures)),
        step(program.bind("step", run_buffers.step)),
        generator(program, gan.generator->parameters(), Block::master, compute == DType::bf16),
        discriminator(program, gan.discriminator->parameters(), Block::master, compute == DType::bf16) {}

  Value reals(Purpose purpose) {
    const int batch = options.train.batch;
    if (buffers.slot_rows > 0) {
      const std::vector<Purpose> batches = gan_batches(options);
      const auto place = std::find(batches.begin(), batches.end(), purpose) - batches.begin();
      return ops::load_pictures(program, {buffers.slot_rows, static_cast<int>(place) * batch}, pictures, step, batch,
                                compute);
    }
    return ops::gather_pictures(program, {options.seed, purpose}, pictures, step, batch, compute);
  }

  Value generated(Purpose purpose, const View& latents) {
    const Value z = latents.data != nullptr ? program.bind("latents", latents)
                                            : ops::random_normal(program, {options.seed, purpose}, step,
                                                                 {options.train.batch, model.latent});
    return model.generator->forward(program, generator, ops::cast(program, z, compute));
  }

  // Each real picture's part in WGAN-GP's mixtures.
  Value shares() {
    const Random random{options.seed, Purpose::interpolation};
    return buffers.sources.shares.data != nullptr ? program.bind("shares", buffers.sources.shares)
                                                  : ops::random_uniform(program, random, step, {options.train.batch});
  }

  Value logits(Value x) { return model.discriminator->forward(program, discriminator, x); }

  // Metrics are stored together, at the end of a phase: on a GPU each store is a launch.
  void store(const char* metric, Value scalar) {
    const auto found = std::find(columns.begin(), columns.end(), metric);
    check(found != columns.end(), "record_gan: {} is not among the metrics", metric);
    stored_columns.push_back(static_cast<int>(found - columns.begin()));
    stored.push_back(scalar);
  }
  void store_metrics() { ops::store_scalars(program, stored_columns, stored, step, buffers.ring); }

  // Gradients of `loss`, their norm (stored as `metric`), clipping, and Adam.
  void update(const Parameters& parameters, const BoundParameters& weights, Value loss, double learning_rate,
              const char* metric) {
    const std::vector<Value> gradients = differentiate(program, loss, weights.all());
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      ops::write_to(program, gradients[i], parameters.view(Block::gradient, parameters.list()[i]));
    }
    const Program::Scope scope(program, parameters.network() + "/update");
    const Value gradient = program.bind(parameters.network() + "/gradient", parameters.view(Block::gradient));
    const Value norm = ops::global_norm(program, gradient);
    store(metric, norm);
    const double clip = options.optimizer.clip_norm;
    const Value scale = clip > 0 ? ops::clip_scale(program, clip, norm) : Value{};
    AdamState state{parameters.view(Block::master), parameters.view(Block::m), parameters.view(Block::v), {}};
    if (compute == DType::bf16) {
      state.compute = parameters.view(Block::compute);
    }
    const Adam adam{learning_rate, options.optimizer.beta1, options.optimizer.beta2.number(),
                    options.optimizer.epsilon};
    ops::adam(program, adam, step, scale, gradient, state);
  }

  const GanModel& model;
  const Options& options;
  const GanBuffers& buffers;
  std::vector<std::string> columns;
  DType compute;
  Program program;
  Value pictures, step;
  std::vector<int> stored_columns;
  std::vector<Value> stored;
  BoundParameters generator, discriminator;
};

// The discriminator's view of a batch: logits, and squared gradient norms where R1 or R2 want them.
struct Judged {
  Value real, fake;                      // logits
  Value real_gradients, fake_gradients;  // |dD/dx|^2 per picture, or none
};

// Real and generated pictures go through in one batch; apart only where just one of the two is regularised, which
// then spares the other's input gradient. No layer mixes pictures, so the results are the same.
Judged judge(Recorder& r, Value real, Value fake) {
  const int batch = r.options.train.batch;
  const bool r1 = !r.options.loss.r1.is_zero(), r2 = !r.options.loss.r2.is_zero();
  Judged judged;
  if (r1 != r2) {
    judged.real = r.logits(real);
    judged.fake = r.logits(fake);
    if (r1) {
      judged.real_gradients = squared_gradient_norms(r.program, judged.real, real);
    } else {
      judged.fake_gradients = squared_gradient_norms(r.program, judged.fake, fake);
    }
    return judged;
  }
  const Value both = ops::concat_rows(r.program, real, fake);
  const Value logits = r.logits(both);
  judged.real = ops::slice_rows(r.program, logits, 0, batch);
  judged.fake = ops::slice_rows(r.program, logits, batch, batch);
  if (r1) {
    const Value squares = squared_gradient_norms(r.program, logits, both);
    judged.real_gradients = ops::slice_rows(r.program, squares, 0, batch);
    judged.fake_gradients = ops::slice_rows(r.program, squares, batch, batch);
  }
  return judged;
}

Value add_penalty(Recorder& r, Value loss, Value penalty, double weight, const char* metric) {
  r.store(metric, penalty);
  return ops::add(r.program, loss, ops::affine(r.program, penalty, weight));
}

Program record_discriminator(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused) {
  Recorder r(model, options, buffers);
  const Program::Scope scope(r.program, "d_main");
  const Value real = r.reals(Purpose::d_reals);
  const Value fake = r.generated(Purpose::d_latents, buffers.sources.d_latents);
  const Judged judged = judge(r, real, fake);
  Value loss = discriminator_loss(r.program, loss_named(options.loss.kind), judged.real, judged.fake, fused);
  if (judged.real_gradients.exists()) {
    loss = add_penalty(r, loss, ops::mean(r.program, judged.real_gradients), options.loss.r1.number() / 2, "r1");
  }
  if (judged.fake_gradients.exists()) {
    loss = add_penalty(r, loss, ops::mean(r.program, judged.fake_gradients), options.loss.r2.number() / 2, "r2");
  }
  if (!options.loss.gradient_penalty.is_zero()) {
    const Value mixed = mix_rows(r.program, r.shares(), real, fake);
    const Value squares = squared_gradient_norms(r.program, r.logits(mixed), mixed);
    loss = add_penalty(r, loss, wgan_gradient_penalty(r.program, squares), options.loss.gradient_penalty.number(),
                       "gradient_penalty");
  }
  r.store("d_loss", loss);
  r.store("d_accuracy_real", fraction_positive(r.program, judged.real));
  r.store("d_accuracy_fake", fraction_negative(r.program, judged.fake));
  r.update(model.discriminator->parameters(), r.discriminator, loss,
           options.optimizer.discriminator_learning_rate.number(), "d_grad_norm");
  r.store_metrics();
  return std::move(r.program);
}

Program record_generator(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused) {
  Recorder r(model, options, buffers);
  const Program::Scope scope(r.program, "g_main");
  const LossKind kind = loss_named(options.loss.kind);
  const Value fake = r.generated(Purpose::g_latents, buffers.sources.g_latents);
  const Value real_logits = generator_loss_needs_reals(kind) ? r.logits(r.reals(Purpose::g_reals)) : Value{};
  const Value loss = generator_loss(r.program, kind, r.logits(fake), real_logits, fused);
  r.store("g_loss", loss);
  const Parameters& parameters = model.generator->parameters();
  r.update(parameters, r.generator, loss, options.optimizer.generator_learning_rate.number(), "g_grad_norm");
  const Value master = r.program.bind("generator/master", parameters.view(Block::master));
  ops::ema(r.program, options.optimizer.ema_decay.number(), r.step, master, parameters.view(Block::average));
  r.store_metrics();
  ops::advance_counter(r.program, r.step);
  return std::move(r.program);
}

}  // namespace

std::vector<std::string> gan_metrics(const Options& options) {
  std::vector<std::string> names = {"d_loss",          "g_loss",      "d_accuracy_real",
                                    "d_accuracy_fake", "d_grad_norm", "g_grad_norm"};
  if (!options.loss.r1.is_zero()) {
    names.emplace_back("r1");
  }
  if (!options.loss.r2.is_zero()) {
    names.emplace_back("r2");
  }
  if (!options.loss.gradient_penalty.is_zero()) {
    names.emplace_back("gradient_penalty");
  }
  return names;
}

std::vector<Purpose> gan_batches(const Options& options) {
  std::vector<Purpose> batches = {Purpose::d_reals};
  if (generator_loss_needs_reals(loss_named(options.loss.kind))) {
    batches.push_back(Purpose::g_reals);
  }
  return batches;
}

GanPhases record_gan(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused) {
  refuse_not_yet(options);
  GanPhases phases{record_discriminator(model, options, buffers, fused),
                   record_generator(model, options, buffers, fused)};
  for (Program* program : {&phases.discriminator, &phases.generator}) {
    fused ? fuse(*program) : program->prune();
  }
  return phases;
}

}  // namespace duel

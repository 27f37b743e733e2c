#include "host/recipes/gan.h"

#include "engine/nn/losses.h"
#include "engine/ops/ops.h"
#include "engine/rewrite/differentiate.h"
#include "engine/rewrite/fuse.h"
#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

using Block = Parameters::Block;

bool exists(const View& described) {
  return described.shape.rank() > 0;
}

// What both phases share while they are recorded.
struct Recorder {
  Recorder(const GanModel& gan, const Options& run_options, const GanBuffers& run_buffers)
      : model(gan),
        options(run_options),
        buffers(run_buffers),
        columns(gan_metrics(run_options)),
        compute(run_options.precision == "bf16" ? DType::bf16 : DType::f32),
        step(bind("step", run_buffers.step)),
        generator(program, gan.generator->parameters(), Block::master, compute == DType::bf16),
        discriminator(program, gan.discriminator->parameters(), Block::master, compute == DType::bf16) {}

  Value bind(const char* name, const View& described) { return program.bind(name, described.shape, described.dtype); }

  Value reals(const char* draw) { return buffers.batches->record(program, draw, "main", "picture", step, compute); }

  Value generated(Purpose purpose, const char* name, const View& latents) {
    const Value z = exists(latents) ? bind(name, latents)
                                    : ops::random_normal(program, {options.seed, purpose}, step,
                                                         {options.train.batch, model.latent});
    return model.generator->forward(program, generator, ops::cast(program, z, compute));
  }

  // Each real picture's part in WGAN-GP's mixtures.
  Value shares() {
    const Random random{options.seed, Purpose::interpolation};
    return exists(buffers.sources.shares) ? bind("shares", buffers.sources.shares)
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
  void store_metrics() { ops::store_scalars(program, stored_columns, stored, step, bind("ring", buffers.ring)); }

  // Gradients of `loss`, their norm (stored as `metric`), clipping, and Adam.
  void update(const Parameters& parameters, const BoundParameters& weights, Value loss, double learning_rate,
              const char* metric) {
    const std::vector<Value> gradients = differentiate(program, loss, weights.all());
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      ops::write_to(program, gradients[i], bind_parameter(program, parameters, Block::gradient, parameters.list()[i]));
    }
    const Program::Scope scope(program, parameters.network() + "/update");
    const auto block = [&](Block which) { return bind_block(program, parameters, which); };
    const Value gradient = block(Block::gradient);
    const Value norm = ops::global_norm(program, gradient);
    store(metric, norm);
    const double clip = options.optimizer.clip_norm;
    const Value scale = clip > 0 ? ops::clip_scale(program, clip, norm) : Value{};
    ops::AdamValues values{block(Block::master), block(Block::m), block(Block::v), {}};
    if (compute == DType::bf16) {
      values.compute = block(Block::compute);
    }
    const Adam adam{learning_rate, options.optimizer.beta1, options.optimizer.beta2, options.optimizer.epsilon};
    ops::adam(program, adam, step, scale, gradient, values);
  }

  const GanModel& model;
  const Options& options;
  const GanBuffers& buffers;
  std::vector<std::string> columns;
  DType compute;
  Program program;
  Value step;
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
  const bool r1 = r.options.loss.r1 > 0, r2 = r.options.loss.r2 > 0;
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
  const Value real = r.reals("d_reals");
  const Value fake = r.generated(Purpose::d_latents, "d_latents", buffers.sources.d_latents);
  const Judged judged = judge(r, real, fake);
  Value loss = discriminator_loss(r.program, loss_named(options.loss.kind), judged.real, judged.fake, fused);
  if (judged.real_gradients.exists()) {
    loss = add_penalty(r, loss, ops::mean(r.program, judged.real_gradients), options.loss.r1 / 2, "r1");
  }
  if (judged.fake_gradients.exists()) {
    loss = add_penalty(r, loss, ops::mean(r.program, judged.fake_gradients), options.loss.r2 / 2, "r2");
  }
  if (options.loss.gradient_penalty > 0) {
    const Value mixed = mix_rows(r.program, r.shares(), real, fake);
    const Value squares = squared_gradient_norms(r.program, r.logits(mixed), mixed);
    loss = add_penalty(r, loss, wgan_gradient_penalty(r.program, squares), options.loss.gradient_penalty,
                       "gradient_penalty");
  }
  r.store("d_loss", loss);
  r.store("d_accuracy_real", fraction_positive(r.program, judged.real));
  r.store("d_accuracy_fake", fraction_negative(r.program, judged.fake));
  r.update(model.discriminator->parameters(), r.discriminator, loss, options.optimizer.discriminator_learning_rate,
           "d_grad_norm");
  r.store_metrics();
  return std::move(r.program);
}

Program record_generator(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused) {
  Recorder r(model, options, buffers);
  const Program::Scope scope(r.program, "g_main");
  const LossKind kind = loss_named(options.loss.kind);
  const Value fake = r.generated(Purpose::g_latents, "g_latents", buffers.sources.g_latents);
  const Value real_logits = generator_loss_needs_reals(kind) ? r.logits(r.reals("g_reals")) : Value{};
  const Value loss = generator_loss(r.program, kind, r.logits(fake), real_logits, fused);
  r.store("g_loss", loss);
  const Parameters& parameters = model.generator->parameters();
  r.update(parameters, r.generator, loss, options.optimizer.generator_learning_rate, "g_grad_norm");
  ops::ema(r.program, options.optimizer.ema_decay, bind_block(r.program, parameters, Block::master),
           bind_block(r.program, parameters, Block::average));
  r.store_metrics();
  ops::advance_counter(r.program, r.step);
  return std::move(r.program);
}

}  // namespace

std::vector<std::string> gan_metrics(const Options& options) {
  std::vector<std::string> names = {"d_loss",          "g_loss",      "d_accuracy_real",
                                    "d_accuracy_fake", "d_grad_norm", "g_grad_norm"};
  if (options.loss.r1 > 0) {
    names.emplace_back("r1");
  }
  if (options.loss.r2 > 0) {
    names.emplace_back("r2");
  }
  if (options.loss.gradient_penalty > 0) {
    names.emplace_back("gradient_penalty");
  }
  return names;
}

std::vector<DrawnField> gan_batches(const Options& options) {
  std::vector<DrawnField> batches = {{"d_reals", "main", "picture"}};
  if (generator_loss_needs_reals(loss_named(options.loss.kind))) {
    batches.push_back({"g_reals", "main", "picture"});
  }
  return batches;
}

BatchPlan plan_gan_batches(const Options& options, const Data& data, bool is_streamed) {
  return {
      data, gan_batches(options), {options.seed, options.train.batch, is_streamed, options.schedule.steps_per_launch}};
}

GanPhases record_gan(const GanModel& model, const Options& options, const GanBuffers& buffers, bool fused) {
  GanPhases phases{record_discriminator(model, options, buffers, fused),
                   record_generator(model, options, buffers, fused)};
  for (Program* program : {&phases.discriminator, &phases.generator}) {
    fused ? fuse(*program) : program->prune();
  }
  return phases;
}

Storage gan_storage(const GanModel& model, const GanBuffers& buffers) {
  Storage storage;
  for (const Network* network : {model.generator.get(), model.discriminator.get()}) {
    network->parameters().add_to(storage);
  }
  buffers.batches->add_to(storage, buffers.rows);
  const std::pair<const char*, View> named[] = {{"step", buffers.step},
                                                {"ring", buffers.ring},
                                                {"d_latents", buffers.sources.d_latents},
                                                {"g_latents", buffers.sources.g_latents},
                                                {"shares", buffers.sources.shares}};
  for (const auto& [name, view] : named) {
    if (exists(view)) {
      storage.add(name, view);
    }
  }
  return storage;
}

}  // namespace duel

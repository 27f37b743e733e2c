#include "host/trainer.h"

#include "engine/crc32c.h"
#include "host/checkpoint.h"
#include "host/model.h"
#include "host/recipes/gan.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <span>

namespace duel {

namespace {

std::string fingerprint(const Dataset& dataset) {
  return fmt::format("{} pictures of {}x{}x{}, crc32c {:08x}", dataset.count, dataset.height, dataset.width,
                     dataset.channels, crc32c(std::as_bytes(std::span(dataset.pixels))));
}

Shape pictures_shape(const Dataset& dataset) {
  return {dataset.count, dataset.height, dataset.width, dataset.channels};
}

}  // namespace

void allocate_for_training(Context& context, GanModel& model, const Options& options) {
  const bool has_compute = options.precision == "bf16";
  model.generator->parameters().allocate(context, {true, true, has_compute});
  model.discriminator->parameters().allocate(context, {true, false, has_compute});
}

void check_trainable(Context& context, const Options& options, const Dataset& dataset) {
  if (options.train.batch > dataset.count) {
    throw_error(Error::Kind::data, "train.batch is {}, but {} has only {} pictures", options.train.batch, dataset.name,
                dataset.count);
  }
  if (options.precision == "bf16" && !context.supports_bf16()) {
    throw_error(
        Error::Kind::device,
        "precision bf16 needs a CPU with AVX512-BF16, or a GPU of compute capability 8.0 or later; {} is neither; "
        "use fp32",
        context.name());
  }
  if (options.precision == "tf32" && !context.supports_tf32()) {
    throw_error(Error::Kind::device,
                "precision tf32 needs a GPU of compute capability 8.0 or later, for products in TF32; {} is none; use "
                "fp32",
                context.name());
  }
  check_memory(context, options, dataset);
}

GanModel Trainer::make_allocated_model(const Options& options, const Dataset& dataset) {
  check_trainable(context_, options, dataset);
  GanModel model = make_model(options, pictures_shape(dataset).with_rows(1));
  allocate_for_training(context_, model, options);
  return model;
}

Trainer::Trainer(Context& context, const Options& options, const Dataset& dataset, bool fused)
    : context_(context),
      model_(make_allocated_model(options, dataset)),
      seed_(options.seed),
      metric_names_(gan_metrics(options)),
      dataset_fingerprint_(fingerprint(dataset)),
      steps_per_epoch_(dataset.count / options.train.batch),
      pictures_(context, dataset.pixels.size()),
      counter_(context, sizeof(std::int64_t)),
      ring_(context, kRingRows * metric_names_.size() * sizeof(float)),
      phases_(record_gan(
          model_, options,
          {pictures_.view(pictures_shape(dataset), DType::u8), counter_.view({1}, DType::i64), ring_view()}, fused)),
      discriminator_phase_(context, std::move(phases_.discriminator)),
      generator_phase_(context, std::move(phases_.generator)),
      arena_(context, std::max(discriminator_phase_.plan().arena_bytes, generator_phase_.plan().arena_bytes)) {
  context.upload(pictures_.data(), dataset.pixels.data(), dataset.pixels.size());
  counter_.clear();
  ring_.clear();
  model_.generator->parameters().initialize(context, seed_, 0);
  model_.discriminator->parameters().initialize(context, seed_, 1);
  discriminator_phase_.attach(arena_.data());
  generator_phase_.attach(arena_.data());
}

View Trainer::ring_view() const {
  return ring_.view({kRingRows, static_cast<int>(metric_names_.size())}, DType::f32);
}

void Trainer::step() {
  discriminator_phase_.run(context_);
  generator_phase_.run(context_);
  ++steps_done_;
}

const std::vector<float>& Trainer::read_metrics() {
  metrics_.resize(metric_names_.size());
  const auto row = static_cast<std::size_t>((steps_done_ - 1) % kRingRows);
  context_.synchronize();
  context_.download(metrics_.data(), ring_.view({1}, DType::f32, row * metrics_.size() * sizeof(float)).data,
                    metrics_.size() * sizeof(float));
  return metrics_;
}

void Trainer::save(const std::filesystem::path& folder) {
  write_checkpoint(context_, model_, {steps_done_, seed_, dataset_fingerprint_}, folder);
}

void Trainer::load(const std::filesystem::path& folder) {
  const CheckpointState state = read_checkpoint(context_, model_, {0, seed_, dataset_fingerprint_}, folder);
  steps_done_ = state.step;
  upload<std::int64_t>(context_, counter_.view({1}, DType::i64), std::array{state.step});
}

MemoryUse Trainer::memory_use() {
  MemoryUse use;
  for (const Network* network : {model_.generator.get(), model_.discriminator.get()}) {
    use.parameters += network->parameters().allocated_bytes();
  }
  use.pictures = pictures_.bytes();
  use.arena = arena_.bytes();
  use.arena_unshared = std::max(discriminator_phase_.plan().unshared_bytes, generator_phase_.plan().unshared_bytes);
  use.workspace = context_.workspace_bytes();
  return use;
}

}  // namespace duel

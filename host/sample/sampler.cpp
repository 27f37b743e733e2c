#include "host/sample/sampler.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/fuse.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>

namespace duel {

namespace {

// What a sampler's program is attached to: the generator's parameters, and what it draws from.
Storage storage_of(const GanModel& model, const char* name, View source) {
  Storage storage;
  model.generator->parameters().add_to(storage);
  storage.add(name, source);
  return storage;
}

}  // namespace

Sampler::Sampler(Context& context, const GanModel& model, Parameters::Block block, std::uint64_t seed)
    : counter_(context, sizeof(std::int64_t)),
      execution_(make_execution(context, model, block, seed)),
      arena_(context, execution_.plan().arena_bytes) {
  execution_.attach(arena_.data(), storage_of(model, "batch", counter()));
}

Execution Sampler::make_execution(Context& context, const GanModel& model, Parameters::Block block,
                                  std::uint64_t seed) {
  Program program;
  const Value batch = program.bind("batch", {1}, DType::i64);
  const BoundParameters weights(program, model.generator->parameters(), block, false);
  const Value z = ops::random_normal(program, {seed, Purpose::sample_latents}, batch, {kBatch, model.latent});
  output_ = model.generator->forward(program, weights, z);
  program.keep(output_);
  fuse(program);
  return {context, std::move(program)};
}

std::vector<float> Sampler::draw(Context& context, std::int64_t first, int count) {
  std::vector<float> drawn;
  const auto size = static_cast<std::int64_t>(execution_.program().shape(output_).row_count());
  for (std::int64_t batch = first / kBatch; batch * kBatch < first + count; ++batch) {
    upload<std::int64_t>(context, counter(), std::array{batch});
    queue_batch(context);
    const std::vector<float> values = download<float>(context, pictures());
    const std::int64_t begin = std::max<std::int64_t>(first - batch * kBatch, 0);
    const std::int64_t end = std::min<std::int64_t>(first + count - batch * kBatch, kBatch);
    drawn.insert(drawn.end(), values.begin() + begin * size, values.begin() + end * size);
  }
  return drawn;
}

LatentSampler::LatentSampler(Context& context, const GanModel& model, Parameters::Block block)
    : shape_({Sampler::kBatch, model.latent}),
      latents_(context, static_cast<std::size_t>(shape_.count()) * sizeof(float)),
      execution_(make_execution(context, model, block)),
      arena_(context, execution_.plan().arena_bytes) {
  execution_.attach(arena_.data(), storage_of(model, "latents", latents_.view(shape_, DType::f32)));
}

Execution LatentSampler::make_execution(Context& context, const GanModel& model, Parameters::Block block) {
  Program program;
  const Value latents = program.bind("latents", shape_, DType::f32);
  const BoundParameters weights(program, model.generator->parameters(), block, false);
  output_ = model.generator->forward(program, weights, latents);
  program.keep(output_);
  fuse(program);
  return {context, std::move(program)};
}

std::vector<float> LatentSampler::draw(Context& context, std::span<const float> latents) {
  std::vector<float> batch(static_cast<std::size_t>(shape_.count()));
  check(latents.size() <= batch.size(), "LatentSampler: {} numbers are more than a batch", latents.size());
  std::copy(latents.begin(), latents.end(), batch.begin());
  upload<float>(context, latents_.view(shape_, DType::f32), batch);
  execution_.run(context);
  std::vector<float> pictures = download<float>(context, execution_.view(output_));
  const std::size_t count = latents.size() / static_cast<std::size_t>(shape_[1]);
  pictures.resize(pictures.size() / Sampler::kBatch * count);
  return pictures;
}

}  // namespace duel

#include "host/sample/sampler.h"

#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <utility>

namespace duel {

namespace {

// The same storage with what only this sampler reads.
Storage with(const Storage& storage, const std::string& name, View view) {
  Storage more = storage;
  more.add(name, view);
  return more;
}

}  // namespace

const Field& latent_of(const Sampling& sampling) {
  if (sampling.inputs.size() != 1 || sampling.inputs[0].kind != FieldKind::vector) {
    throw_error(Error::Kind::usage,
                "sampling: pictures are drawn from one vector each, but this recipe takes {} inputs",
                sampling.inputs.size());
  }
  return sampling.inputs[0];
}

Sampler::Sampler(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed)
    : counter_(context, sizeof(std::int64_t)),
      execution_(make_execution(context, model, block, seed)),
      arena_(context, execution_.plan().arena_bytes) {
  execution_.attach(arena_.data(), with(model.storage, "counter", counter()));
}

Execution Sampler::make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                                  std::uint64_t seed) {
  latent_of(model.sampling);
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {kBatch, block, seed});
  output_ = recorded.output;
  return {context, std::move(recorded.program)};
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

LatentSampler::LatentSampler(Context& context, const SamplingModel& model, Parameters::Block block)
    : shape_(latent_of(model.sampling).shape.with_rows(Sampler::kBatch)),
      latents_(context, static_cast<std::size_t>(shape_.count()) * sizeof(float)),
      execution_(make_execution(context, model, block)),
      arena_(context, execution_.plan().arena_bytes) {
  execution_.attach(arena_.data(),
                    with(model.storage, "input/" + latent_of(model.sampling).name, latents_.view(shape_, DType::f32)));
}

Execution LatentSampler::make_execution(Context& context, const SamplingModel& model, Parameters::Block block) {
  RecordedSampling recorded = record_sampling(model.sampling, model.networks, {Sampler::kBatch, block, std::nullopt});
  output_ = recorded.output;
  return {context, std::move(recorded.program)};
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

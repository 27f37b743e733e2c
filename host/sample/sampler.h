// Pictures from a recipe's sampling program, in f32 whatever the training's precision.
#pragma once

#include "engine/program/execution.h"
#include "engine/program/storage.h"
#include "host/sample/recorded_sampling.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace duel {

// What a sampler draws from: a recipe's sampling with the networks that it runs, and the storage where their weights
// and state are. All outlive the sampler.
struct SamplingModel {
  const Sampling& sampling;
  const Networks& networks;
  const Storage& storage;
};

// Draws in batches of 64: picture i of a seed is a function of seed and i alone, so asking for more never changes
// the first ones.
class Sampler {
public:
  static constexpr int kBatch = 64;

  // block: master (the network as trained) or average (its moving average).
  Sampler(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed);

  // Pictures first..first+count-1 of the seed: [count,H,W,C], in -1..1.
  std::vector<float> draw(Context& context, std::int64_t first, int count);

  // Queues the drawing of the batch whose number stands in counter(), i64 [1], on the device; it is in pictures() then.
  void queue_batch(Context& context) const { execution_.run(context); }
  View counter() const { return counter_.view({1}, DType::i64); }
  View pictures() const { return execution_.view(output_); }  // f32 [kBatch,H,W,C]

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed);

  Buffer counter_;
  Value output_;
  Execution execution_;
  Buffer arena_;
};

// The same from latents that are given.
class LatentSampler {
public:
  LatentSampler(Context& context, const SamplingModel& model, Parameters::Block block);

  // latents [count,latent], count at most Sampler::kBatch: [count,H,W,C], in -1..1. A picture depends on its latent
  // alone, not on its place or the others.
  std::vector<float> draw(Context& context, std::span<const float> latents);

  std::size_t bytes() const { return latents_.bytes() + arena_.bytes(); }  // on the device, without the weights

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block);

  Shape shape_;  // of the latents
  Buffer latents_;
  Value output_;
  Execution execution_;
  Buffer arena_;
};

// The one vector that a sampling takes: [1,latent]. Throws kind `usage` where its inputs are others.
const Field& latent_of(const Sampling& sampling);

}  // namespace duel

// Pictures from a recipe's sampling program, in f32 whatever the training's precision.
#pragma once

#include "engine/program/execution.h"
#include "engine/program/storage.h"
#include "host/sample/recorded_sampling.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <optional>
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

// What pictures are drawn from: a vector each, and where the recipe knows classes, the share of each class in it.
struct DrawnInputs {
  Field latent;                  // f32 [1,latent]
  std::optional<Field> classes;  // f32 [1,K], by their names
};

// Whether there are such, and pictures come of them: of what is no generator there are neither sheets nor new pictures.
bool draws_pictures(const Sampling& sampling);
// Throws kind `usage` where the sampling takes or makes something else.
DrawnInputs drawn_inputs(const Sampling& sampling);

// Draws in batches of 64: picture i of a seed is a function of seed, i and its classes alone, so asking for more never
// changes the first ones.
class Sampler {
public:
  static constexpr int kBatch = 64;

  // block: master (the network as trained) or average (its moving average).
  Sampler(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed);

  // Pictures first..first+count-1 of the seed: [count,H,W,C], in -1..1. `classes`: their shares [count,K], or none.
  std::vector<float> draw(Context& context, std::int64_t first, int count, std::span<const float> classes = {});

  // Queues the drawing of the batch whose number stands in counter(), i64 [1], on the device; it is in pictures() then.
  void queue_batch(Context& context) const { execution_.run(context); }
  View counter() const { return counter_.view({1}, DType::i64); }
  View classes() const { return classes_shape_.rank() == 0 ? View{} : classes_.view(classes_shape_, DType::f32); }
  View pictures() const { return execution_.view(output_); }  // f32 [kBatch,H,W,C]

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block, std::uint64_t seed);

  Buffer counter_;
  Shape classes_shape_;  // [kBatch,K]; of rank 0 where there are none
  Buffer classes_;
  Value output_;
  Execution execution_;
  Buffer arena_;
};

// Rows that are put through at once: Sampler::kBatch, of larger pictures that are made of pictures so few that their
// activations take no more memory than those of 64x64 pixels.
int rows_at_once(const Sampling& sampling);

// Any recipe's sampling of rows that are given, each as its field is stored.
class RowSampler {
public:
  // With a seed vectors are no inputs, but drawn: functions of the seed, the batch and the row's place. `rows`: of a
  // batch; 0: rows_at_once().
  RowSampler(Context& context, const SamplingModel& model, Parameters::Block block,
             std::optional<std::uint64_t> seed = std::nullopt, int rows = 0);

  // Rows of each input, in the order of the sampling's, at most batch() and equally many; returns the rows of
  // each output. A row depends on its inputs alone, not on its place or the others.
  std::vector<std::vector<float>> run(Context& context, std::span<const std::span<const std::byte>> rows,
                                      std::int64_t batch = 0);
  const std::vector<Field>& inputs() const { return fields_; }  // that are given
  int batch() const { return batch_; }

  // The same in parts, on the device: queues the run of what lies in the inputs.
  void queue_batch(Context& context) const { execution_.run(context); }
  void* input(std::size_t i) const { return inputs_[i].data(); }             // batch() rows, as stored
  View output(std::size_t i) const { return execution_.view(outputs_[i]); }  // f32 [batch(),...]

  std::size_t bytes() const;  // on the device, without the weights

private:
  Execution make_execution(Context& context, const SamplingModel& model, Parameters::Block block,
                           std::optional<std::uint64_t> seed);

  int batch_;
  std::vector<Field> fields_;
  Buffer counter_;
  std::vector<Buffer> inputs_;
  std::vector<Value> outputs_;
  Execution execution_;
  Buffer arena_;
};

}  // namespace duel

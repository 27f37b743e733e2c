// A GAN in training on one device: the networks, the data set, the two recorded phases, and their memory.
//
// Everything a step reads or writes is on the device; step() only queues the two programs. The state that outlives the
// process is the parameters, the optimiser's moments, the average and the number of steps: noise and the order of the
// pictures are functions of seed and step.
#pragma once

#include "engine/execution.h"
#include "engine/network.h"
#include "host/dataset.h"
#include "host/memory_plan.h"
#include "host/options.h"
#include "host/recipes/gan.h"
#include "kernels/memory.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace duel {

// Gives both networks the blocks of parameters that training in options.precision needs.
void allocate_for_training(Context& context, GanModel& model, const Options& options);

// Throws where training is impossible: the batch is larger than the data, or the device cannot do the precision or has
// too little memory.
void check_trainable(Context& context, const Options& options, const Dataset& dataset);

class Trainer {
public:
  static constexpr int kRingRows = 64;  // steps whose scalars the device remembers

  // Draws the starting weights. Throws as check_trainable() does.
  Trainer(Context& context, const Options& options, const Dataset& dataset, bool fused = true);

  void step();
  std::int64_t steps_done() const { return steps_done_; }

  // Scalars of the newest step, in the order of metric_names(); waits for it.
  const std::vector<std::string>& metric_names() const { return metric_names_; }
  const std::vector<float>& read_metrics();

  // state.safetensors and state.json in an existing folder. load() throws kind `data` where the checkpoint is of
  // another architecture or data set, truncated or corrupted, and then leaves the trainer as it was.
  void save(const std::filesystem::path& folder);
  void load(const std::filesystem::path& folder);

  MemoryUse memory_use();
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  GanModel& model() { return model_; }
  Context& context() { return context_; }
  const Execution& discriminator_phase() const { return discriminator_phase_; }
  const Execution& generator_phase() const { return generator_phase_; }

private:
  GanModel make_allocated_model(const Options& options, const Dataset& dataset);
  View ring_view() const;

  Context& context_;
  GanModel model_;
  std::uint64_t seed_;
  std::vector<std::string> metric_names_;
  std::string dataset_fingerprint_;
  std::int64_t steps_per_epoch_;
  Buffer pictures_, counter_, ring_;
  GanPhases phases_;  // empty once they are executions
  Execution discriminator_phase_, generator_phase_;
  Buffer arena_;
  std::vector<float> metrics_;
  std::int64_t steps_done_ = 0;
};

}  // namespace duel

// What a recipe records a phase with. All that it draws, keeps and measures has a name: so parity can put recorded
// values in place of draws, logs can list metrics, and checkpoints can say what they hold.
#pragma once

#include "engine/program/program.h"
#include "host/recipes/recipe.h"
#include "host/recipes/recorded_step.h"
#include "kernels/optimizer.h"

#include <map>
#include <string>
#include <vector>

namespace duel {

// An update of the networks of a phase: by Adam, with gradients of the phase's loss.
struct UpdateRule {
  Adam adam;               // but for its clock, which follows from the phases
  double clip_norm = 0;    // global norm over all of them at which gradients are clipped; 0: off
  std::string loss, norm;  // the metrics' names
};

class StepRecorder {
public:
  // Of the phase that is the last of `step` so far; `phases` are all of the recipe's.
  StepRecorder(const Networks& networks, const StepSettings& settings, const std::vector<Phase>& phases,
               RecordedStep& step);

  Program& program() { return recorded_.program; }
  DType compute() const { return settings_.compute; }  // of activations
  int batch_size() const { return settings_.batch; }
  const Networks& networks() const { return networks_; }
  Value step() const { return step_; }  // i64 [1]: the number of steps before this one

  // Rows of a source's field: pictures in the compute type, [B,H,W,C] in -1..1; labels i32 [B]. Fields of one source
  // that are drawn by one name are of the same rows. It must be among the recipe's batches().
  Value batch(const std::string& draw, const std::string& source, const std::string& field);
  Value batch(const std::string& draw, const std::string& source, const std::string& field, DType type);  // of pictures
  Value normal(const std::string& draw, const Shape& shape);   // N(0, 1), f32
  Value uniform(const std::string& draw, const Shape& shape);  // U(0, 1), f32

  // What outlives the step beside weights: f32, in checkpoints. Every element starts as `initial`.
  Value state(const std::string& name, const Shape& shape, double initial = 0);
  // From here on; what was recorded before reads the old value.
  void set_state(const std::string& name, Value value);

  // Training, but for a network that is frozen.
  std::vector<Value> run(const std::string& network, const std::vector<Value>& inputs);

  Value scaled(const Schedule& scale, Value x);       // f32, times what the schedule has at this step
  void metric(const std::string& name, Value value);  // f32 [1]; among the recipe's metrics()
  void update(Value loss, const UpdateRule& rule);
  void average(const std::string& network, const Schedule& decay);

  // Stores the metrics, all at once: on a GPU each store is a launch. Called once, behind the recipe's recording.
  void finish(bool is_last_phase);

private:
  Value drawn(const std::string& draw, const Shape& shape, bool is_normal);
  const BoundParameters& weights(const std::string& network);
  Value block(const std::string& network, Parameters::Block which);
  UpdateClock clock_of(const std::string& network) const;

  const Networks& networks_;
  const StepSettings& settings_;
  const std::vector<Phase>& phases_;
  const Phase& phase_;
  RecordedStep& whole_;
  RecordedPhase& recorded_;
  Value step_;
  std::map<std::string, BoundParameters> weights_;
  std::map<std::string, Value> states_;
  std::vector<int> columns_;
  std::vector<Value> stored_;
};

}  // namespace duel

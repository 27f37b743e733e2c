// A recorded trajectory taken again, step by step, on one device: how far each loss, gradient and weight lies from the
// record. Pictures go through the operator that training gathers with.
//
// Weights are where this is unusual. Adam divides a gradient by its own size, so a gradient that is zero but for
// rounding (a dead ReLU, the last bias under a loss of differences) moves its weight by a whole learning rate, in a
// direction that no two programs agree on; no tolerance of weights could tell that from an error. So each step's
// gradients are compared first, and then the recorded ones take their place before norm, clipping, Adam and average.
// What is compared is therefore: the gradients that the engine computes from weights, and the weights that it makes
// from gradients. Each is strict, together they are the trajectory, and rounding does not pile up from step to step.
// Weights, moments and the average are the engine's own throughout.
//
// Deviations are relative: max |duel - recorded| over the elements of a tensor, divided by a magnitude,
//   loss              its recorded size, or 0.01 where that is more
//   gradient          the largest recorded element, or 0.01 of the network's largest where that is more: a tensor that
//                     is zero but for rounding has no digits of its own
//   weight, average   the learning rate, the size of an update of Adam; against its own size even a wrong update would
//                     look small. What rounding the stored weight may add, 2^-22 of it in each step, is taken off first
#pragma once

#include "engine/execution.h"
#include "host/recipes/gan.h"
#include "host/trajectory.h"
#include "kernels/memory.h"
#include "kernels/philox.h"

#include <optional>
#include <string>

namespace duel {

struct Deviation {
  std::string tensor;  // "d_loss", "gradient/generator/dense1/weight", ...
  double value = 0;    // infinite where a number is not finite
};

struct ReplayedStep {
  int step = 0;
  double d_loss = 0, g_loss = 0;
  Deviation gradient, weight;          // the largest; averages count as weights
  std::optional<Deviation> first_off;  // the first beyond the tolerance, in the order of computation
};

class Replay {
public:
  // Precision and device may differ from those of the record. Throws where the device cannot do the precision or has
  // too little memory.
  Replay(Context& context, const Trajectory& trajectory, const std::string& precision, double tolerance);

  ReplayedStep step();  // the next one; at most trajectory.steps() times

private:
  GanModel make_allocated_model();
  GanBuffers buffers() const;
  void upload_pictures(const char* name, Purpose purpose);
  void upload_floats(const char* name, const View& view);
  void load(const std::string& prefix, const Parameters& parameters, Parameters::Block block);
  void run_phase(const Execution& phase, const Parameters& parameters, double learning_rate);
  void compare_loss(const char* name, double& deviation);
  void exchange_gradients(const Parameters& parameters);
  void compare_weights(const char* group, const Parameters& parameters, Parameters::Block block, double learning_rate);
  void note(const std::string& tensor, double value, Deviation* largest);

  Context& context_;
  const Trajectory& trajectory_;
  Options options_;
  double tolerance_;
  GanModel model_;
  Buffer pictures_, counter_, ring_, latents_, shares_;
  GanPhases phases_;  // empty once they are executions
  Execution discriminator_phase_, generator_phase_;
  Buffer arena_;
  ReplayedStep now_;
};

}  // namespace duel

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
// Deviations are relative:
//   loss              |duel - recorded|, over the recorded size, or 0.01 where that is more
//   gradient          in norm: |duel - recorded|_2 over |recorded|_2, which shows what is a little wrong everywhere;
//                     in one element: max |duel - recorded| over the largest recorded element, which shows a single
//                     wrong number. Of either, the divisor is at the least 0.05 of the network's largest element: a
//                     tensor in which nearly all cancels (the last bias) has no digits of its own
//   weight, average   max |duel - recorded| over the learning rate, the size of an update of Adam; against its own size
//                     even a wrong update would look small. What rounding the stored weight may add, 2^-22 of it in
//                     each step, is taken off first
//   state             max |duel - recorded| over the largest recorded element
//
// Kinks: where what goes into a ReLU is zero but for rounding, two right programs may take different sides of its kink,
// and their gradients differ by more than any rounding. Records of format 2 have no such place that float32 could
// mistake (tools/record_pytorch.py draws anew what comes near), so the bounds of fp32 need no room for them. Those of
// TF32 and bf16 do: their rounding is coarser than what a large network can keep clear of.
#pragma once

#include "host/data/memory_source.h"
#include "host/parity/trajectory.h"
#include "host/recipes/step_memory.h"
#include "host/train/training_plan.h"
#include "kernels/memory.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct Bounds {
  double loss, gradient_norm, gradient_element, weight;
};

// In fp32 a tenth of an error of 0.1 %; the presets at batch 64 deviate by 2.3e-5 in norm and 3.8e-5 in one element at
// the most. In bf16 those deviate by 0.13 and 0.21, at batch 8 by 0.09 and 0.32, and in TF32 (emulated) by 0.02 and
// 0.03, most of it at kinks. Weights are float32 in every precision.
Bounds default_bounds(const std::string& precision);

struct Deviation {
  std::string tensor;  // "d_loss", "gradient/generator/dense1/weight", ...
  double value = 0;    // infinite where a number is not finite
};

// One way of looking at all losses and gradients of a step.
struct Deviations {
  std::vector<Deviation> losses;  // in the order of the phases
  Deviation norm, element;        // the largest of the gradients
};

struct Off {
  Deviation deviation;
  double bound = 0;
  const char* measure = "";                 // "in norm", "in one element" or ""
  std::optional<double> recorders_float32;  // the same of the recording program, where that is known
};

struct ReplayedStep {
  int step = 0;
  Deviations duel;
  std::optional<Deviations> recorders_float32;  // where the record tells, what its own program deviates in float32
  Deviation weight;                             // the largest; averages count as weights
  Deviation state;               // the largest of what else outlives the step; no name where nothing does
  std::optional<Off> first_off;  // the first beyond its bound, in the order of computation
};

class Replay {
public:
  // Precision and device may differ from those of the record. Throws where the device cannot do the precision or has
  // too little memory.
  Replay(Context& context, const Trajectory& trajectory, const std::string& precision, const Bounds& bounds);

  ReplayedStep step();  // the next one; at most trajectory.steps() times

private:
  Replay(Context& context, const Trajectory& trajectory, const Options& options, const Bounds& bounds, Data batch);
  Storage allocate();
  void upload_batch(const DrawnField& drawn);
  void upload_floats(const std::string& name, const View& view);
  void load(const std::string& prefix, const Parameters& parameters, Parameters::Block block);
  void run_phase(std::size_t number);
  void compare_loss(const std::string& name);
  void exchange_gradients(const RecordedPhase& phase, const std::string& prefix);
  void compare_state();
  void compare_weights(const std::string& group, const Parameters& parameters, Parameters::Block block,
                       double learning_rate);
  void compare_gradient(const std::string& name, const std::vector<float>& got, const std::vector<float>& recorded,
                        double least_magnitude);
  void note(Off off);

  Context& context_;
  const Trajectory& trajectory_;
  Options options_;
  Bounds bounds_;
  Data batch_;  // the data set is one batch, which is exchanged before each phase
  TrainingPlan plan_;
  Buffer rows_;
  std::map<std::string, Buffer> noise_;  // by the draw's name
  Storage given_;                        // of what is read from the record: rows and noise
  StepMemory memory_;
  ReplayedStep now_;
};

}  // namespace duel

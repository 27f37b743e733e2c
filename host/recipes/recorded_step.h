// A recipe's step as recorded programs, with the names of all that is outside of them.
//
// Storage that the programs read and write (engine/program/storage.h):
//   step                       i64 [1]: the number of steps done
//   metrics                    f32 [ring_rows, metrics]: the metrics of the newest steps
//   NETWORK/BLOCK              a network's parameters (engine/nn/parameters.h)
//   state/NAME                 f32: what else outlives a step
//   draw/NAME                  where draws are given: noise, and batches of fields
//   what StepSettings::batch_of binds
#pragma once

#include "engine/program/program.h"
#include "host/recipes/recipe.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace duel {

inline constexpr int kRingRows = 64;  // steps whose metrics a device remembers

struct StepSettings {
  int batch = 0;  // rows of each draw
  std::uint64_t seed = 0;
  DType compute = DType::f32;
  int ring_rows = kRingRows;
  // Records the batch of a field at the step; pictures in this type.
  std::function<Value(Program&, const DrawnField&, Value step, DType)> batch_of;
  bool are_draws_given = false;  // noise stands in memory, instead of being drawn by seed and step
  bool is_fused = true;          // false leaves the rewrites out, for tests and comparisons
};

struct RecordedDraw {
  std::string name;
  Shape shape;  // f32
};

struct RecordedState {
  std::string name;
  Shape shape;  // f32
  double initial = 0;
};

struct RecordedPhase {
  std::string name;
  int every = 1;
  std::vector<std::string> updates;
  std::vector<DrawnField> batches;
  std::vector<RecordedDraw> noise;
  std::string loss;  // the metric that is differentiated; "" where nothing is updated
  Program program;

  bool runs_at(std::int64_t step) const { return step % every == 0; }
};

struct RecordedStep {
  std::vector<RecordedPhase> phases;
  std::vector<std::string> metrics;  // the ring's columns
  std::vector<int> phase_of_metric;  // number in `phases`
  std::vector<RecordedState> state;

  int cycle() const;  // after so many steps the same phases run again
};

}  // namespace duel

// What is trained, and how: networks, and the phases of a step. One small file for each recipe; everything else
// (memory, scheduling, logs, checkpoints, parity, sheets) works for any of them by names.
//
// A recipe says beforehand what its step will draw, measure and update, because memory is laid out before anything is
// recorded; recording holds it to that.
#pragma once

#include "host/data/batch_plan.h"
#include "host/data/source.h"
#include "host/recipes/networks.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace duel {

class StepRecorder;  // step_recorder.h

// One recorded program of a step. Phases run one behind the other, in the recipe's order.
struct Phase {
  std::string name;                  // "d_main"
  std::vector<std::string> updates;  // the networks whose weights it changes, each once
  std::function<void(StepRecorder&)> record;
  int every = 1;  // it runs at steps 0, every, 2 every...; of the last phase it is 1
};

// From rows of inputs to rows of outputs, with trained weights: what sheets, `duel generate` and exports use.
struct Sampling {
  // Runs a network on inputs in f32, not training.
  using Run = std::function<std::vector<Value>(const std::string& network, const std::vector<Value>& inputs)>;

  // Shapes of one row. What is recorded sees inputs as networks take them: pictures in f32, -1..1; labels i32.
  std::vector<Field> inputs, outputs;
  std::vector<std::string> networks;  // that it runs
  std::function<std::vector<Value>(Program&, const Run&, std::span<const Value> inputs)> record;
};

// What is measured on rows that training never sees.
struct HeldOutMeasure {
  using Rows = std::span<const std::vector<float>>;  // of each output of the sampling, in the source's order

  // An input is a field of the source, by its name, or a vector that the source lacks: that is drawn, N(0, 1), the same
  // numbers at every measurement.
  Sampling sampling;
  std::vector<std::string> needed;  // further fields that the source has to have
  // Of outputs that are too large to be kept for all rows: numbers of a row, which are one output in their place,
  // [rows, numbers]. Any thread may call it, several at once.
  std::function<std::vector<float>(const Source&, std::int64_t row, std::span<const std::span<const float>>)> reduce =
      {};
  std::vector<std::string> metrics;                                   // in the order of logs: "held_out_accuracy"
  std::function<std::vector<double>(const Source&, Rows)> summarize;  // a number for each metric
  std::function<std::string(const Source&, Rows)> report = {};        // lines for the end of a run; may be empty
};

// The fields of each source, by the source's name.
using Fields = std::map<std::string, std::vector<Field>>;

// A network whose weights a new run takes from another one, which has a network of that name, and what that keeps in
// its state.
struct Pretrained {
  std::string network, run;
};

class Recipe {
public:
  virtual ~Recipe() = default;

  virtual std::string name() const = 0;  // "gan"
  virtual std::vector<NamedNetwork> make_networks() const = 0;
  virtual std::vector<Pretrained> pretrained() const { return {}; }
  virtual std::vector<Phase> phases() const = 0;
  virtual std::vector<DrawnField> batches() const = 0;   // in the order in which a slot of an upload ring holds them
  virtual std::vector<std::string> metrics() const = 0;  // in the order of logs
  virtual Sampling sampling() const = 0;
  // Further networks that can be run by themselves on rows, by their names: what is exported beside sampling().
  virtual std::map<std::string, Sampling> single_networks() const { return {}; }
  // Networks that answer with logits when they are shown a picture, by their names: what `duel explain` explains. The
  // first input is the picture, a second one a label; the first output f32 [1,K], and `names` of it are what the logits
  // stand for, where they stand for classes or tags.
  virtual std::map<std::string, Sampling> answering_networks() const { return {}; }
  virtual std::optional<HeldOutMeasure> held_out() const { return std::nullopt; }
  // From pictures, the first input, of the source that is counted to what the networks make of the same pictures, where
  // they can: sheets show both, of held-out rows where any are measured.
  virtual std::optional<Sampling> reconstruction() const { return {}; }
  // From the field "input" of a row to its "picture", where the one is made of the other: sheets show what is given,
  // what is made and what it should be side by side, and `duel evaluate` compares them.
  virtual std::optional<Sampling> translation() const { return {}; }
};

}  // namespace duel

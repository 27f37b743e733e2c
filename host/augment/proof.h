// Whether generated pictures are worth it: the same classifier trained with them and without, tested on real pictures
// that are held out.
//
//   real       a share of the training pictures, as they are
//   both       the same and the generated ones
//   classic    the same, mirrored, moved and changed as they are drawn (augment.flip, augment.shift, augment.policy)
//   generated  generated ones alone: the classification accuracy score of Ravuri and Vinyals, "Classification Accuracy
//              Score for Conditional Generative Models", 2019
//
// All trainings take equally many steps of equally many pictures. A seed chooses the share of each class, the starting
// weights and the order, so the arms of one seed differ in their pictures alone.
#pragma once

#include "host/augment/training_set.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace duel {

struct ProofRequest {
  TrainingSetRequest set;  // which pictures; `out` is not written
  int seeds = 5;
  std::int64_t steps = 0;  // of each training; 0: as the classifier's preset has it, for all the data
  // After each training: how many are done, of how many, and which it was.
  std::function<void(int, int, const std::string&)> on_training = {};
};

struct ProofCell {
  std::string arm;                       // "real", "both", "classic", "generated"
  int percent = 0;                       // of the real training pictures; 0: none
  std::int64_t real = 0, generated = 0;  // pictures
  std::vector<double> accuracies;        // of each seed, on the held-out pictures
};

struct Proof {
  std::string preset;  // of the classifier
  std::int64_t steps = 0;
  int batch = 0, shift = 0;
  bool flip = false;        // of `classic`, as
  std::string policy;       // the other keys of [augment]
  std::int64_t tested = 0;  // held-out pictures
  std::vector<ProofCell> cells;
  std::string verdict;  // a sentence
  std::string note;     // what to keep in mind; may be ""
};

// None where a signal came. Throws as make_training_set() does, and kind `data` where no pictures are held out.
std::optional<Proof> prove(const ProofRequest& request);

struct MeanAndSpread {
  double mean = 0, deviation = 0;  // of a sample; 0 of a single one
};
MeanAndSpread mean_and_spread(const std::vector<double>& values);

// Of numbers that go together in pairs: the mean of b - a, its standard error, and the sign where the mean is beyond
// two of them (of one pair: never).
struct PairedDifference {
  double mean = 0, error = 0;
  int sign = 0;
};
PairedDifference paired_difference(const std::vector<double>& a, const std::vector<double>& b);

// What the cells say of the pictures, a sentence.
std::string verdict_of(const std::vector<ProofCell>& cells);
std::string to_text(const Proof& proof);

}  // namespace duel

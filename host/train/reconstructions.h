// Pictures beside what a recipe's networks make of them, for a person to compare: always the same ones.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/sample/row_sheet_sampler.h"
#include "host/train/trainer.h"

#include <vector>

namespace duel {

// Of a sheet of reconstructions beside sheets of so many rows: an even number, as a row of pictures has that of their
// reconstructions below it.
int reconstruction_rows(int sample_rows);

class Reconstructions {
public:
  // `sampling`: the recipe's reconstruction(), of the first rows of `source`. The trainer outlives this. Averages of
  // weights are taken where networks have them.
  Reconstructions(const Options& options, const Source& source, Trainer& trainer, Sampling sampling);

  // Of what the networks make of the pictures behind the steps launched before begin().
  Snapshot& snapshot() { return sampler_.snapshot(); }
  // The pictures of a sheet of rows() by output.sample_columns, from the snapshot's bytes. Any thread may ask.
  std::vector<float> sheet();
  int rows() const { return rows_; }

private:
  int rows_, columns_;
  Sampling sampling_;
  std::vector<float> pictures_;  // in -1..1
  RowSheetSampler sampler_;
};

}  // namespace duel

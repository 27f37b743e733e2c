// What a recipe's network is given, what it makes of that and what it should be, side by side, for a person to compare:
// always the same rows.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/row_sheet_sampler.h"
#include "host/train/trainer.h"

#include <vector>

namespace duel {

// The rows and columns of a sheet of threes.
SheetShape comparison_sheet(const Options& options);

class Comparisons {
public:
  // `sampling`: the recipe's translation(), of the first rows of `source`. The trainer outlives this. Averages of
  // weights are taken where networks have them.
  Comparisons(const Options& options, const Source& source, Trainer& trainer, Sampling sampling);

  // Of what the network makes of the inputs behind the steps launched before begin().
  Snapshot& snapshot() { return sampler_.snapshot(); }
  // comparison_sheet() of pictures three times as wide, in -1..1, from the snapshot's bytes. What is given is enlarged
  // by bicubic where it is smaller. Any thread may ask.
  std::vector<float> sheet();

private:
  int count_;
  Sampling sampling_;
  std::vector<float> given_, truth_;  // in -1..1, of the output's shape
  RowSheetSampler sampler_;
};

}  // namespace duel

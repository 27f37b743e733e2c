// What a recipe's network is given, what it makes of that and, where rows say it, what it should be, side by side, for
// a person to compare: always the same rows.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/row_sheet_sampler.h"
#include "host/train/trainer.h"

#include <vector>

namespace duel {

// How many pictures stand side by side: 3, or 2 where what is given is the rows' "picture" itself.
int comparison_panels(const Sampling& translation);
// The rows and columns of a sheet of so many together.
SheetShape comparison_sheet(const Options& options, int panels);

class Comparisons {
public:
  // `sampling`: the recipe's translation(), of the first rows of `source`. The trainer outlives this. Averages of
  // weights are taken where networks have them.
  Comparisons(const Options& options, const Source& source, Trainer& trainer, Sampling sampling);

  // Of what the network makes of the inputs behind the steps launched before begin().
  Snapshot& snapshot() { return sampler_.snapshot(); }
  int panels() const { return panels_; }
  // comparison_sheet() of pictures so many times as wide, in -1..1, from the snapshot's bytes. What is given is
  // enlarged by bicubic where it is smaller. Any thread may ask.
  std::vector<float> sheet();

private:
  int panels_, count_;
  Sampling sampling_;
  std::vector<float> given_, truth_;  // in -1..1, of the output's shape
  RowSheetSampler sampler_;
};

}  // namespace duel

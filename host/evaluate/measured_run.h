// A checkpoint of a run, and the sets of pictures that it is measured on by networks of its own.
#pragma once

#include "host/evaluate/picture_set.h"
#include "host/recipes/recipe.h"
#include "host/run/run_directory.h"

#include <cstdint>
#include <string>
#include <vector>

namespace duel {

struct MeasuredRun {
  const RunDirectory& run;
  const Recipe& recipe;
  std::int64_t step = 0;
  const std::vector<std::string>& classes;  // of the data
  PictureSet& generated;
  PictureSet& reference;
  PictureSet& floor;
};

}  // namespace duel

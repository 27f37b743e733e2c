// Units as a sheet for a person: a row for each channel, with the pictures that it answers to most strongly and where
// on them it does.
#pragma once

#include "host/pictures/png.h"

#include <string>
#include <vector>

namespace duel {

struct UnitRow {
  int channel = 0;
  double effect = 0, activation = 0;
  std::vector<Picture> pictures;  // RGB, of one size
};

Picture draw_units(const std::string& title, const std::string& subtitle, const std::vector<UnitRow>& rows);

}  // namespace duel

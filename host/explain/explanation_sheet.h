// What was found of one picture as a sheet for a person: the picture, and beside it what each method lays over it, with
// the scale of its colours.
#pragma once

#include "host/explain/heat_map.h"
#include "host/pictures/png.h"

#include <string>
#include <vector>

namespace duel {

struct Panel {
  std::string title;                 // "Grad-CAM"
  std::vector<std::string> caption;  // lines under the title
  Picture picture;                   // RGB; the panels' are of one size
  // Of what is laid over the picture: the number of the fullest colour.
  HeatColours colours = HeatColours::strength;
  double full = 0;  // 0: the picture alone, or a map that is zero everywhere
};

struct ExplanationSheet {
  std::string title, subtitle;
  std::vector<Panel> panels;
};

// By how much a picture of this size is enlarged for a panel.
int panel_factor(int height, int width);

Picture draw(const ExplanationSheet& sheet);  // RGB

}  // namespace duel

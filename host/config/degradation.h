// How pictures are spoilt before a network is to restore them, as people write it (data.degrade). What each does to a
// picture: host/pictures/degrade.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace duel {

enum class DegradationKind { none, smaller, noise, blur, motion, jpeg, hole, strokes, grey, edges };

struct Degradation {
  DegradationKind kind = DegradationKind::none;
  double from = 0, to = 0;  // what stands behind the colon: one number, of noise also a range; of smaller the factor

  int scale() const { return kind == DegradationKind::smaller ? static_cast<int>(from) : 1; }
  // Pixels are missing: where they are is told to the network, and the others come back as they were.
  bool has_holes() const { return kind == DegradationKind::hole || kind == DegradationKind::strokes; }
  // Another one each time: then a training draws it on the device, and only rows to measure on have theirs for good.
  bool is_drawn() const { return kind == DegradationKind::noise || has_holes(); }
};

// "none", "x2", "x4", "noise:S" or "noise:S-S", "blur:S", "motion:N", "jpeg:Q", "hole:N", "strokes", "grey", "edges".
// Throws kind `usage` where it is none of them, naming the nearest, or where a number is out of its range.
Degradation degradation_of(std::string_view text);

}  // namespace duel

// How pictures are spoilt before a network is to restore them, as people write it (data.degrade). What each does to a
// picture: host/pictures/degrade.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace duel {

enum class DegradationKind { none, smaller, noise, blur, motion, jpeg, hole, strokes, grey, edges, several };

struct Degradation {
  DegradationKind kind = DegradationKind::none;
  double from = 0, to = 0;  // what stands behind the colon: one number twice, or a range; of smaller the factor
  std::string word;         // "noise", "jpeg"; empty of several and of smaller
  // Of several: what they are. Each picture is spoilt by one of them, and the network is told by which.
  std::vector<Degradation> jobs = {};

  int scale() const { return kind == DegradationKind::smaller ? static_cast<int>(from) : 1; }
  // Pixels are missing: where they are is told to the network, and the others come back as they were.
  bool has_holes() const;
  // Another one each time: then a training draws it on the device, and only rows to measure on have theirs for good.
  bool is_drawn() const;
};

// "none", "x2", "x4", "noise:S", "blur:S", "motion:N", "jpeg:Q" (each also of a range, S-S), "hole:N", "strokes",
// "grey", "edges"; or several of those that keep the size and the colours, with commas between; or "all", which is
// kAllJobs. Throws kind `usage` where it is none of them, naming the nearest, or where a number is out of its range.
Degradation degradation_of(std::string_view text);
// By the word of a Degradation.
bool leaves_holes(std::string_view word);

inline constexpr const char* kAllJobs = "noise:0-50,blur:0.5-3,jpeg:5-40,strokes";

}  // namespace duel

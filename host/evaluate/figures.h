// The figures of a set of pictures that was measured, beside those of the floor.
#pragma once

#include "host/evaluate/evaluation.h"
#include "host/evaluate/measured_set.h"

#include <vector>

namespace duel {

struct MeasuredSets {
  const MeasuredSet& generated;
  const MeasuredSet& reference;
  const MeasuredSet& floor;
};

// In the order of the report. What cannot be measured stands there without a value, and says why.
std::vector<Figure> figures_of(const MeasuredSets& sets, const MeasuredForm& form, int threads);

// For each class of the data; none where not every generated picture is of one.
std::vector<ClassFigures> class_figures_of(const MeasuredSets& sets, const MeasuredForm& form);

// Sentences on what makes figures mean less than they seem to.
std::vector<std::string> notes_on(const MeasuredSets& sets, const MeasuredForm& form);

}  // namespace duel

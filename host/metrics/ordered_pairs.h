// How well one number tells two sets apart, whatever its scale and wherever its zero lies.
#pragma once

#include <span>

namespace duel {

// The share of all pairs of a number of `high` and one of `low` in which the first is the larger one; equal ones count
// half. It is the area under the receiver operating characteristic (Hanley and McNeil, 1982): 1 tells them apart, 0.5
// tells nothing. Both have numbers, and no NaN.
double ordered_share(std::span<const float> high, std::span<const float> low);

}  // namespace duel

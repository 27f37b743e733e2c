// What the numbers of a named draw are keyed by (kernels/philox.h): noise, and the order of a batch's rows.
#pragma once

#include "kernels/philox.h"

#include <string>
#include <string_view>
#include <vector>

namespace duel {

// The purpose that Purpose has under that name, such as "d_reals"; of any other name its FNV-1a hash with the highest
// bit set, which no enumerator has. Two names have the same one with a chance of 2^-31: see below.
Purpose purpose_of_draw(std::string_view name);

// The name of a batch that is drawn from a source: the draw's alone from "main", else "source/draw", so that sources
// which are not paired have orders of their own.
std::string batch_draw_name(const std::string& source, const std::string& draw);

// Throws kind `internal` where two different names have one purpose: then one of them must be called otherwise.
void check_distinct_draws(const std::vector<std::string>& names);

}  // namespace duel

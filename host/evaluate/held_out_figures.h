// A recipe's own measure of what is held out of training, of any checkpoint, and of another set too: what training logs
// as held_out_...
#pragma once

#include "host/evaluate/held_out_request.h"
#include "kernels/tensor.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace duel {

struct HeldOutFigures {
  std::string run, data;
  std::int64_t step = 0, pictures = 0;
  Shape picture;                                        // [1,H,W,C]
  std::vector<std::pair<std::string, double>> figures;  // by names without held_out_
};

// Whether a run of the recipe is measured so: of try-on, whose flows have a truth as well as its pictures.
bool has_held_out_figures(const std::string& recipe);

// Throws kind `usage` where the data are of another size, lack what is measured or keep nothing out of training; `data`
// for a run or data that cannot be read.
HeldOutFigures evaluate_held_out(const HeldOutRequest& request);

std::string to_text(const HeldOutFigures& figures);

}  // namespace duel

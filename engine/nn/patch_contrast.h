// What compares places of two pictures with one another: a place of what was made is to be more like the same place of
// what was given than like its other places (PatchNCE: Park, Efros, Zhang & Zhu, "Contrastive learning for unpaired
// image-to-image translation", 2020, section 3.2).
#pragma once

#include "engine/program/program.h"

namespace duel {

// A map is cut into rows * columns alike cells, as square as can be, at most `places` and no smaller than its pixels.
struct PlaceCells {
  int rows = 1, columns = 1;
  int count() const { return rows * columns; }
};
PlaceCells cells_of(int places, int height, int width);

// One place in each cell of each picture, so that no two are the same: f32 [N,rows,columns,2], as grid_sample takes
// them. uniform: U(0, 1), f32 [N,rows,columns,2], across and down the cell.
Value places_in_cells(Program& program, const PlaceCells& cells, Value uniform);

// What a map [N,H,W,C] has at the places, between pixels bilinearly: [N rows columns, C].
Value features_at(Program& program, Value map, Value places);

// Rows as long as 1: x / sqrt(sum of x^2 + 1e-12). x f32 [R,C].
Value of_unit_length(Program& program, Value x);

// For each row of a picture's places the cross-entropy of telling its own key among those of all places of the picture,
// by their products over the temperature:
//
//   loss[n,i] = log(sum over j of exp(q[n,i] k[n,j] / t)) - q[n,i] k[n,i] / t
//
// queries, keys f32 [N places, C], rows as long as 1; result f32 [N places]. Products are at most 1, which is taken off
// before exp: with a temperature of at least kLeastTemperature nothing overflows or vanishes.
Value contrast_losses(Program& program, Value queries, Value keys, int places, double temperature);
inline constexpr double kLeastTemperature = 0.03;

}  // namespace duel

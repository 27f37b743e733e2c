// Rows of a table chosen by an index: the trained row of a picture's class. Each is the other's derivative.
//
//   take_rows     y[b,...] = table[index[b],...]                   table [K,...], index i32 [B], y [B,...]
//   scatter_rows  y[k,...] = sum of dy[b,...] over index[b] = k    dy [B,...], y f32 [K,...]
//
// Whoever fills `index` refuses what is not in 0..K-1. Here a row with such an index belongs to no row of the table:
// take_rows makes it zero, scatter_rows leaves it out. table and dy are f32 or bf16, y of take_rows as the table. Sums
// are f32, in the order of b: the same bytes every time and for any number of threads. A GPU looks through the whole
// index for each row of the table, which suits tables of up to some thousands of rows. No overlap.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

void take_rows(Context&, View table, View index, View y);
void scatter_rows(Context&, View dy, View index, View y);

}  // namespace duel

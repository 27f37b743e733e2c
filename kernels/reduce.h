// Sums over groups of axes, and their derivatives, the broadcasts.
//
//   axes                 reduce_sum                             broadcast
//   all                  y[1]   = scale * sum of x              y[...]     = scale * x[0]      x [1]
//   each_row             y[n]   = scale * sum over x[n, ...]    y[n,...]   = scale * x[n]      x [N]
//   each_column          y[c]   = scale * sum over x[..., c]    y[...,c]   = scale * x[c]      x [C]
//   each_row_and_column  y[n,c] = scale * sum over x[n,...,c]   y[n,...,c] = scale * x[n,c]    x [N,C]
//
// The large array has rank 1 to 4, for each_row_and_column (a number of each channel of each picture) 2 to 4; f32 or
// bf16, while the sum (and the array that is broadcast) is f32. Sums are taken over fixed blocks and then in order: the
// same bytes whatever the number of threads. No overlap. Each is the other's derivative, with the same scale.
#pragma once

#include "kernels/context.h"
#include "kernels/tensor.h"

namespace duel {

enum class Axes { all, each_row, each_column, each_row_and_column };

struct Reduce {
  Axes axes = Axes::all;
  float scale = 1.0F;
};

void reduce_sum(Context&, const Reduce&, View x, View y);
void broadcast(Context&, const Reduce&, View x, View y);

Shape reduce_output(Axes axes, const Shape& x);
const char* name_of(Axes axes);

}  // namespace duel

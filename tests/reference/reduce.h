// Reference of kernels/reduce.h: an element of the large array belongs to one element of the small one.
#pragma once

#include "kernels/reduce.h"
#include "tests/reference/array.h"

namespace duel::test::reference {

// The place in the small array that element `i` of the large array belongs to.
inline std::size_t reduced_place(Axes axes, const Shape& large, std::size_t i) {
  switch (axes) {
    case Axes::all: return 0;
    case Axes::each_row: return i / at(large.row_count());
    case Axes::each_column: return i % at(large.back());
    case Axes::each_row_and_column: return i / at(large.row_count()) * at(large.back()) + i % at(large.back());
  }
  return 0;
}

inline Array reduce_sum(const Reduce& p, const Shape& shape, const Array& x) {
  Array y(at(reduce_output(p.axes, shape).count()), 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[reduced_place(p.axes, shape, i)] += x[i];
  }
  for (double& sum : y) {
    sum *= static_cast<double>(p.scale);
  }
  return y;
}

inline Array broadcast(const Reduce& p, const Shape& shape, const Array& x) {
  Array y(at(shape.count()));
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<double>(p.scale) * x[reduced_place(p.axes, shape, i)];
  }
  return y;
}

}  // namespace duel::test::reference

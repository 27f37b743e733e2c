// How parameters start: the distributions that the literature names, drawn by Philox, so that a seed gives the same
// weights on every device.
//
// The fans of a layer are the numbers that one output sums over, and the outputs that one input goes to: of a dense
// layer its inputs and outputs, of a convolution R*S*C and R*S*K.
#pragma once

#include "kernels/tensor.h"

#include <cstdint>

namespace duel {

struct Initial {
  enum class Kind { constant, uniform, normal, orthogonal };

  Kind kind = Kind::constant;
  double scale = 0;  // the constant; the uniform's bound; the normal's standard deviation; the orthogonal's gain
  double mean = 0;   // of the normal

  static Initial zeros() { return {}; }
  static Initial ones() { return constant(1); }
  static Initial constant(double value) { return {Kind::constant, value}; }
  static Initial uniform(double bound) { return {Kind::uniform, bound}; }  // in [-bound, bound]
  static Initial normal(double deviation, double mean = 0) { return {Kind::normal, deviation, mean}; }
  // Glorot & Bengio (2010), eq. 16: uniform in +-sqrt(6 / (fan_in + fan_out)).
  static Initial glorot(int fan_in, int fan_out);
  // He et al. (2015), eq. 15: normal with variance 2 / ((1 + slope^2) fan_in), before a leaky ReLU of that slope.
  static Initial he(int fan_in, double slope = 0);
  // What PyTorch's layers start weights and biases with: uniform in +-1 / sqrt(fan_in).
  static Initial pytorch(int fan_in);
  // Saxe et al. (2014): the first extent's rows, or where there are more of them than columns, the columns, are
  // orthogonal to one another and `gain` long. Takes rows^2 * columns steps, so it is for matrices up to some
  // thousands.
  static Initial orthogonal(double gain = 1) { return {Kind::orthogonal, gain}; }

  bool operator==(const Initial&) const = default;
};

// Fills values [shape]. `stream` keeps parameters and networks apart.
void draw_initial(const Initial& initial, const Shape& shape, std::uint64_t seed, std::uint64_t stream, float* values);

}  // namespace duel

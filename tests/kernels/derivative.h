// What the tests of the operators' derivatives share.
#pragma once

#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <string>

namespace duel::test {

inline Array drawn_values(const Shape& shape, const std::string& name, const Fill& fill = normal()) {
  return input_values({.op = "derivative", .name = name, .inputs = {{"x", shape, DType::f32, fill}}})[0];
}

// Away from 0, where relu and its like have no derivative.
inline Array drawn_off_zero(const Shape& shape, const std::string& name) {
  Array x = drawn_values(shape, name);
  for (double& value : x) {
    value += value > 0 ? 0.1 : -0.1;
  }
  return x;
}

inline void expect_derivative(const std::string& name, const Forward& forward, const Backward& backward,
                              const Array& x) {
  EXPECT_EQ(check_derivative(name, forward, backward, x), "");
}

}  // namespace duel::test

// fill_holes (engine/nn/fill_holes.h) against its formula in double, and what follows from it.
#include "engine/nn/fill_holes.h"

#include "tests/support/small_program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace duel::test {
namespace {

// One channel of one picture.
struct Plane {
  int height = 0, width = 0;
  std::vector<double> values;

  double at(int row, int column) const {  // the edge is repeated
    return values[std::clamp(row, 0, height - 1) * width + std::clamp(column, 0, width - 1)];
  }
};

Plane plane(int height, int width, const std::function<double(int, int)>& value) {
  Plane made{height, width, {}};
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      made.values.push_back(value(row, column));
    }
  }
  return made;
}

Plane halved(const Plane& x) {
  return plane(x.height / 2, x.width / 2, [&](int row, int column) {
    return (x.at(2 * row, 2 * column) + x.at(2 * row, 2 * column + 1) + x.at(2 * row + 1, 2 * column) +
            x.at(2 * row + 1, 2 * column + 1)) /
           4;
  });
}

Plane doubled(const Plane& x) {
  return plane(2 * x.height, 2 * x.width, [&](int row, int column) {
    const int above = (row + 1) / 2 - 1, left = (column + 1) / 2 - 1;
    const double down = row % 2 == 0 ? 0.75 : 0.25, right = column % 2 == 0 ? 0.75 : 0.25;
    return (1 - down) * ((1 - right) * x.at(above, left) + right * x.at(above, left + 1)) +
           down * ((1 - right) * x.at(above + 1, left) + right * x.at(above + 1, left + 1));
  });
}

Plane smoothed(const Plane& x) {
  return plane(x.height, x.width, [&](int row, int column) {
    double sum = 0;
    for (int i = -1; i <= 1; ++i) {
      for (int j = -1; j <= 1; ++j) {
        sum += x.at(row + i, column + j) / 9;
      }
    }
    return sum;
  });
}

// `sum` and `weight` of a level; what its squares become.
Plane filled(const Plane& sum, const Plane& weight, int levels) {
  const auto mean = [&](int row, int column) {
    return weight.at(row, column) > 0 ? sum.at(row, column) / weight.at(row, column) : 0;
  };
  if (levels == 0 || sum.height % 2 != 0 || sum.width % 2 != 0) {
    return plane(sum.height, sum.width, mean);
  }
  const auto mixed = [&](const Plane& v) {
    return plane(sum.height, sum.width, [&](int row, int column) {
      const double trust = std::min(1.0, 4 * weight.at(row, column));
      return trust * mean(row, column) + (1 - trust) * v.at(row, column);
    });
  };
  Plane v = mixed(doubled(filled(halved(sum), halved(weight), levels - 1)));
  for (int i = 0; i < 4; ++i) {
    v = mixed(smoothed(v));
  }
  return v;
}

struct Filling {
  Filling(const Shape& all, const std::function<bool(int row, int column)>& is_missing) : shape(all) {
    const Value x = s.input(shape), known = s.input(shape, 1, 1);
    for (std::int64_t i = 0; i < shape.count(); ++i) {
      const int pixel = static_cast<int>(i / shape[3]) % (shape[1] * shape[2]);
      s.data(1)[i] = is_missing(pixel / shape[2], pixel % shape[2]) ? 0.0F : 1.0F;
    }
    made = fill_holes(s.program, x, known);
    s.program.keep(made);
    s.finish();
  }

  std::vector<float> run() {
    s.run();
    return s.read(made);
  }

  Plane channel(std::size_t input, int picture, int c) {
    return plane(shape[1], shape[2], [&](int row, int column) {
      return s.data(input)[((picture * shape[1] + row) * shape[2] + column) * shape[3] + c];
    });
  }

  SmallProgram s;
  Shape shape;
  Value made;
};

bool is_in_square(int row, int column) {
  return row >= 9 && row < 23 && column >= 5 && column < 21;
}

void expect_by_formula(const Shape& shape, const std::function<bool(int, int)>& is_missing) {
  Filling filling(shape, is_missing);
  const std::vector<float> made = filling.run();
  for (int n = 0; n < shape[0]; ++n) {
    for (int c = 0; c < shape[3]; ++c) {
      const Plane x = filling.channel(0, n, c), known = filling.channel(1, n, c);
      const Plane seen =
          plane(shape[1], shape[2], [&](int row, int column) { return x.at(row, column) * known.at(row, column); });
      const Plane wanted = filled(seen, known, 5);
      for (int row = 0; row < shape[1]; ++row) {
        for (int column = 0; column < shape[2]; ++column) {
          const float its = made[((n * shape[1] + row) * shape[2] + column) * shape[3] + c];
          if (is_missing(row, column)) {
            ASSERT_NEAR(its, wanted.at(row, column), 2e-5) << fmt::format("{} {} {}", shape, row, column);
          } else {
            ASSERT_EQ(its, static_cast<float>(x.at(row, column))) << fmt::format("{} {} {}", shape, row, column);
          }
        }
      }
    }
  }
}

TEST(FillHoles, DoesWhatItsFormulaSays) {
  expect_by_formula({2, 32, 32, 3}, is_in_square);
  expect_by_formula({1, 64, 32, 1}, [](int row, int column) { return (row * 7 + column * 3) % 5 != 0 || row > 40; });
  expect_by_formula({1, 24, 20, 2}, is_in_square);  // two levels
  expect_by_formula({1, 25, 30, 1}, [](int, int) { return false; });
}

TEST(FillHoles, OneColourIsContinued) {
  Filling filling({1, 32, 32, 1}, is_in_square);
  std::fill_n(filling.s.data(0), filling.shape.count(), 0.375F);
  for (const float its : filling.run()) {
    EXPECT_NEAR(its, 0.375F, 1e-5);
  }
}

TEST(FillHoles, WhatIsMissingIsNotLookedAt) {
  Filling filling({1, 32, 32, 1}, is_in_square);
  const std::vector<float> before = filling.run();
  for (int i = 0; i < 32 * 32; ++i) {
    filling.s.data(0)[i] += is_in_square(i / 32, i % 32) ? 3.0F : 0.0F;
  }
  EXPECT_EQ(filling.run(), before);
}

TEST(FillHoles, OfNothingItMakesZeros) {
  Filling filling({1, 8, 8, 1}, [](int, int) { return true; });
  EXPECT_EQ(filling.run(), std::vector<float>(64));
}

}  // namespace
}  // namespace duel::test

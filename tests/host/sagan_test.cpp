// Training with spectral norm: the vectors of the power iteration keep up with the weights, in training, in checkpoints
// and where pictures are drawn.
#include "host/train/trainer.h"
#include "tests/support/small_run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace duel::test {
namespace {

using Block = Parameters::Block;

Options sagan_options() {
  Options options = small_options("sagan");
  options.data.synthetic_height = options.data.synthetic_width = 16;
  options.model.filters = 8;
  options.train.batch = 4;
  options.train.steps = 100;
  return options;
}

using Doubles = std::vector<double>;

// W^T u, or W v, of W [rows, columns].
Doubles times(const std::vector<float>& w, std::size_t rows, const Doubles& vector, bool transposed) {
  const std::size_t columns = w.size() / rows;
  Doubles result(transposed ? columns : rows);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double value = static_cast<double>(w[r * columns + c]);
      result[transposed ? c : r] += value * vector[transposed ? r : c];
    }
  }
  return result;
}

double length_of(const Doubles& vector) {
  double squares = 0;
  for (const double value : vector) {
    squares += value * value;
  }
  return std::sqrt(squares);
}

void normalize(Doubles& vector) {
  const double length = length_of(vector);
  for (double& value : vector) {
    value /= length;
  }
}

// The largest singular value: the power iteration, until it has long stood still.
double largest_singular_value(const std::vector<float>& w, std::size_t rows) {
  Doubles u(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    u[r] = 1 + 0.1 * std::sin(static_cast<double>(r));
  }
  for (int i = 0; i < 2000; ++i) {
    u = times(w, rows, times(w, rows, u, true), false);
    normalize(u);
  }
  return length_of(times(w, rows, u, true));
}

TEST(Sagan, AHundredStepsLeaveEveryWeightsLargestSingularValueAtOne) {
  const Options options = sagan_options();
  const Data data = small_dataset(options);
  Context context = Context::cpu(2);
  Trainer trainer(context, options, data);
  trainer.run_to(100);
  trainer.drain();
  int checked = 0;
  for (const StateMemory::Array& array : trainer.memory().state().arrays()) {
    if (!array.name.ends_with("/u")) {
      continue;
    }
    const std::string network = array.name.substr(0, array.name.find('/'));
    const std::string name = array.name.substr(network.size() + 1, array.name.size() - network.size() - 2) + "weight";
    for (const Parameter& parameter : trainer.networks().parameters(network).list()) {
      if (parameter.name != name) {
        continue;
      }
      const auto w = download<float>(context, trainer.networks().parameters(network).view(Block::master, parameter));
      const auto kept = download<float>(context, array.view);
      Doubles u(kept.begin(), kept.end());
      normalize(u);
      const double sigma =
          length_of(times(w, u.size(), u, true));  // what the weight is divided by when it is drawn with
      EXPECT_NEAR(largest_singular_value(w, u.size()) / sigma, 1, 0.05) << array.name;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 1 + 1 + 3 + 1 + 2 * (1 + 3) + 1);
}

}  // namespace
}  // namespace duel::test

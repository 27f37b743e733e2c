// Shuffling over whole epochs, as the operator does it on a device: pictures of one pixel that say which they are.
#include "kernels/gather.h"

#include "kernels/memory.h"
#include "tests/support/op_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace duel::test {

namespace {

class GatherTest : public testing::TestWithParam<Backend> {
protected:
  // The pictures that the steps `first` .. `first + steps - 1` take, in order.
  std::vector<int> taken(const Random& order, int pictures, int batch, std::int64_t first, std::int64_t steps) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(pictures));
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(i);
    }
    const std::shared_ptr<Context> context = GetParam().open(GetParam().variants.front());
    const Buffer data(*context, pixels.size()), counter(*context, 8),
        result(*context, 4 * static_cast<std::size_t>(batch));
    const View data_view = data.view({pictures, 1, 1, 1}, DType::u8), step_view = counter.view({1}, DType::i64),
               y = result.view({batch, 1, 1, 1}, DType::f32);
    upload<std::uint8_t>(*context, data_view, pixels);
    std::vector<int> indices;
    for (std::int64_t step = first; step < first + steps; ++step) {
      upload<std::int64_t>(*context, step_view, std::span(&step, 1));
      gather_rows(*context, {order, kPictureScale}, data_view, step_view, y);
      for (const float value : download<float>(*context, y)) {
        indices.push_back(static_cast<int>(std::lround((value + 1) * 127.5F)));
      }
    }
    return indices;
  }
};

TEST_P(GatherTest, NoPictureComesTwiceInAnEpoch) {
  for (const auto& [pictures, batch] : {std::pair{1, 1}, {7, 3}, {33, 33}, {200, 64}, {256, 64}, {250, 7}}) {
    const std::int64_t steps = pictures / batch;
    for (const std::int64_t epoch : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5}, std::int64_t{1} << 33}) {
      const std::vector<int> indices = taken({1, Purpose::d_reals}, pictures, batch, epoch * steps, steps);
      EXPECT_EQ(std::set<int>(indices.begin(), indices.end()).size(), indices.size())
          << pictures << " pictures, batch " << batch << ", epoch " << epoch;
      EXPECT_LT(*std::max_element(indices.begin(), indices.end()), pictures);
    }
  }
}

TEST_P(GatherTest, EveryEpochSeedAndPurposeHasItsOwnOrder) {
  std::set<std::vector<int>> orders;
  for (const std::int64_t epoch : {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, std::int64_t{1} << 32}) {
    orders.insert(taken({1, Purpose::d_reals}, 256, 64, epoch * 4, 4));
  }
  orders.insert(taken({1, Purpose::g_reals}, 256, 64, 0, 4));
  orders.insert(taken({2, Purpose::d_reals}, 256, 64, 0, 4));
  orders.insert(taken({(std::uint64_t{1} << 32) + 1, Purpose::d_reals}, 256, 64, 0, 4));
  EXPECT_EQ(orders.size(), 7U);
}

// What an epoch leaves out because the batch does not divide it changes from epoch to epoch.
TEST_P(GatherTest, EveryPictureComesInTheEnd) {
  const std::vector<int> indices = taken({1, Purpose::d_reals}, 7, 4, 0, 40);
  EXPECT_EQ(std::set<int>(indices.begin(), indices.end()).size(), 7U);
}

INSTANTIATE_TEST_SUITE_P(backends, GatherTest, testing::ValuesIn(backends()),
                         [](const testing::TestParamInfo<Backend>& test) { return test.param.name; });

}  // namespace

}  // namespace duel::test

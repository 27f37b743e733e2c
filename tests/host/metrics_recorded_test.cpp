// Metrics against what independent packages made of the same features and pictures: tests/golden/metrics/record.py.
#include "host/files/safetensors.h"
#include "host/metrics/class_score.h"
#include "host/metrics/frechet.h"
#include "host/metrics/kernel_distance.h"
#include "host/metrics/picture_similarity.h"
#include "host/metrics/precision_recall.h"
#include "tests/support/paths.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace duel::test {
namespace {

class Recorded : public ::testing::Test {
protected:
  Features features(const std::string& name) const {
    Features features{static_cast<int>(file_.entry(name).shape[1]), {}};
    features.values = numbers<float>(name);
    return features;
  }
  Moments moments(const std::string& name) const {
    const Features rows = features(name);
    Moments moments(rows.width);
    moments.add(rows.values);
    return moments;
  }
  Picture picture(const std::string& name) const {
    const auto& shape = file_.entry(name).shape;
    return {static_cast<int>(shape[0]), static_cast<int>(shape[1]), static_cast<int>(shape[2]),
            numbers<std::uint8_t>(name)};
  }
  std::vector<double> values(const std::string& name) const { return numbers<double>("value/" + name); }

  static void expect_near(double value, double recorded) { EXPECT_NEAR(value, recorded, 1e-6 * std::abs(recorded)); }

private:
  template <class T>
  std::vector<T> numbers(const std::string& name) const {
    const std::vector<std::byte> bytes = file_.read(name);
    std::vector<T> numbers(bytes.size() / sizeof(T));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

  SafetensorsFile file_{std::string(source_folder()) + "/tests/golden/metrics/recorded.safetensors"};
};

TEST_F(Recorded, FrechetDistance) {
  expect_near(frechet_distance(moments("a"), moments("b")).value, values("frechet")[0]);
  const FrechetDistance few = frechet_distance(moments("a"), moments("few"));
  expect_near(few.value, values("frechet_of_few")[0]);
  EXPECT_EQ(few.rank_b, 8);  // of nine rows of twelve numbers
  EXPECT_FALSE(few.has_full_rank);
}

TEST_F(Recorded, KernelDistance) {
  const Features b = features("b");
  Features a = features("a");
  a.values.resize(b.values.size());  // the package takes equally many rows
  expect_near(kernel_distance(a, b).value, values("kernel")[0]);
}

TEST_F(Recorded, PrecisionRecall) {
  const PrecisionRecall result = precision_recall(features("a"), features("b"));
  const std::vector<double> recorded = values("precision_recall");
  expect_near(result.precision, recorded[0]);
  expect_near(result.recall, recorded[1]);
  expect_near(result.density, recorded[2]);
  expect_near(result.coverage, recorded[3]);
}

TEST_F(Recorded, ClassScore) {
  expect_near(class_score(features("probabilities")), values("score")[0]);
}

TEST_F(Recorded, PictureSimilarity) {
  expect_near(psnr(picture("one"), picture("other")), values("psnr")[0]);
  expect_near(ssim(picture("one"), picture("other")), values("ssim")[0]);
  Picture one{176, 192, 1, {}}, other = one;  // as record.py draws them
  for (int y = 0; y < one.height; ++y) {
    for (int x = 0; x < one.width; ++x) {
      const int value = (x * x / 8 + 3 * y + x * y / 16) % 256;
      one.pixels.push_back(static_cast<std::uint8_t>(value));
      other.pixels.push_back(static_cast<std::uint8_t>(std::min(255, value * 3 / 4 + (x * 7 + y * 13) % 50)));
    }
  }
  expect_near(ms_ssim(one, other, 5), values("ms_ssim")[0]);
}

}  // namespace
}  // namespace duel::test

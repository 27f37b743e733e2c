// What a JSON file says of a network's input: each key, each refusal, and the numbers that come of a picture.
#include "host/evaluate/network_input.h"
#include "kernels/check.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace duel::test {
namespace {

class NetworkInputFile : public ::testing::Test {
protected:
  std::optional<NetworkInput> read(const std::string& text) const {
    write_file(folder_ / "net.onnx.json", text);
    return read_network_input(folder_ / "net.onnx.json");
  }
  void expect_refused(const std::string& text, const std::string& part, Error::Kind kind = Error::Kind::usage) const {
    EXPECT_ERROR(read(text), kind, part);
    EXPECT_ERROR(read(text), kind, "net.onnx.json: ");
  }

  TemporaryFolder folder_;
};

TEST_F(NetworkInputFile, MayBeMissing) {
  EXPECT_FALSE(read_network_input(folder_ / "net.onnx.json"));
}

TEST_F(NetworkInputFile, SaysEachThingOrLeavesItOut) {
  const NetworkInput input = *read(
      R"({"size": [30, 20], "resize": "bilinear", "order": "bgr", "mean": [0.1, 0.2, 0.3], "std": [1, 2, 4], "source": "x"})");
  EXPECT_EQ(input.size, (PictureSize{30, 20}));
  EXPECT_EQ(input.filter, ResampleFilter::bilinear);
  EXPECT_TRUE(input.is_bgr);
  EXPECT_EQ(input.mean, (std::array{0.1F, 0.2F, 0.3F}));
  EXPECT_EQ(input.deviation, (std::array{1.0F, 2.0F, 4.0F}));
  EXPECT_EQ(to_text(input, *input.size),
            "to 20x30 (width x height) by bilinear, antialiased; BGR; (x - mean) / std of 0..1, mean 0.1 0.2 0.3, std "
            "1 2 4");
  EXPECT_EQ(read(R"({"size": 7})")->size, (PictureSize{7, 7}));
  const NetworkInput usual = *read("{}");
  EXPECT_FALSE(usual.size || usual.is_bgr);
  EXPECT_EQ(usual.filter, ResampleFilter::bicubic);
  EXPECT_EQ(usual.mean, (std::array{0.485F, 0.456F, 0.406F}));
}

TEST_F(NetworkInputFile, IsRefusedWhereItSaysNothingThatCanBeMeant) {
  expect_refused("{", "is no JSON file that can be read", Error::Kind::data);
  expect_refused("[1]", "must be an object with the keys mean, order, resize, size, source, std");
  expect_refused(R"({"sise": 3})", "has no key sise; its keys are");
  for (const char* size : {"0", "-3", "5000", "[3]", "[3, 4, 5]", "2.5", "\"big\"", "null", "[3, 0]"}) {
    expect_refused(fmt::format(R"({{"size": {}}})", size), "must be pixels a side, 1 to 4096");
  }
  expect_refused(R"({"resize": "nearest"})", "resize is \"nearest\", but must be bilinear, bicubic or lanczos");
  expect_refused(R"({"order": "gbr"})", "must be rgb or bgr");
  expect_refused(R"({"mean": [1, 2]})", "mean is [1,2], but must be three numbers");
  expect_refused(R"({"mean": [1, "2", 3]})", "must be three numbers");
  expect_refused(R"({"std": [1, 0, 3]})", "must be three numbers above 0");
}

TEST(NetworkInput, MakesNumbersOfAPicture) {
  NetworkInput input;
  input.mean = {0, 0.2F, 0.4F};
  input.deviation = {1, 0.5F, 0.25F};
  const std::vector<std::uint8_t> picture = {0, 51, 102, 255, 255, 255};  // two pixels
  std::vector<float> planes(6), pixels(6);
  const PictureSize size{1, 2};
  fill_network_input(input, size, false, picture, {1, 1, 2, 3}, planes);
  fill_network_input(input, size, true, picture, {1, 1, 2, 3}, pixels);
  const std::vector<float> expected = {0, 1, 0, 1.6F, 0, 2.4F};  // red, green, blue
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(planes[i], expected[i], 1e-6);
    EXPECT_EQ(pixels[i % 2 * 3 + i / 2], planes[i]);
  }
  input.is_bgr = true;  // mean and deviation go with the order that the network has
  fill_network_input(input, size, false, picture, {1, 1, 2, 3}, planes);
  EXPECT_NEAR(planes[0], 0.4F, 1e-6);
  EXPECT_NEAR(planes[4], -1.6F, 1e-6);
}

TEST(NetworkInput, RepeatsGreyAndLaysWhatIsTransparentOnWhite) {
  NetworkInput input;
  input.mean = {0, 0, 0};
  input.deviation = {1, 1, 1};
  std::vector<float> numbers(3);
  const PictureSize size{1, 1};
  const auto expect_made = [&](const std::vector<std::uint8_t>& picture, const std::vector<int>& bytes) {
    fill_network_input(input, size, false, picture, {1, 1, 1, static_cast<int>(picture.size())}, numbers);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(numbers[i] * 255, bytes[i], 1e-4) << picture.size() << " channels";
    }
  };
  expect_made({77}, {77, 77, 77});
  expect_made({100, 0}, {255, 255, 255});
  expect_made({100, 51}, {224, 224, 224});
  expect_made({1, 2, 3, 255}, {1, 2, 3});
  expect_made({0, 255, 5, 0}, {255, 255, 255});
}

TEST(NetworkInput, BringsAPictureToTheSize) {
  NetworkInput input;
  input.mean = {0, 0, 0};
  input.deviation = {1, 1, 1};
  input.filter = ResampleFilter::bilinear;
  std::vector<float> numbers(3);
  // Halved: all four pixels weigh the same in the middle of two, as Pillow has it.
  fill_network_input(input, {1, 1}, true, std::vector<std::uint8_t>{0, 0, 0, 100, 0, 40, 60, 200, 0, 40, 0, 0},
                     {1, 2, 2, 3}, numbers);
  EXPECT_NEAR(numbers[0] * 255, 50, 1);
  EXPECT_NEAR(numbers[1] * 255, 50, 1);
  EXPECT_NEAR(numbers[2] * 255, 10, 1);
}

}  // namespace
}  // namespace duel::test

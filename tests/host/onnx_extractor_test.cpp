// Features by networks out of ONNX files, against the same computed by hand; and what is refused. Skipped in a build
// without OpenVINO.
#include "host/evaluate/onnx_extractor.h"

#include "host/evaluate/onnx_network.h"
#include "host/export/onnx_file.h"
#include "host/files/sha256.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace duel::test {
namespace {

constexpr std::int64_t kAny = -2;  // an extent without a name
constexpr int kHeight = 4, kWidth = 6;
const Shape kPicture{1, kHeight, kWidth, 3};
constexpr std::size_t kBytes = kHeight * kWidth * 3;
const std::vector<float> kWeights = {1, -2, 0.5F, 3, 0.25F, -1};  // [2,3]

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// A 1x1 convolution of [N,3,H,W] to a map [N,2,H,W].
OnnxGraph map_of_channels(std::vector<std::int64_t> input) {
  OnnxGraph graph;
  graph.name = "map";
  graph.inputs = {{"pictures", OnnxType::f32, std::move(input), ""}};
  graph.initializers = {{"weight", OnnxType::f32, {2, 3, 1, 1}, bytes_of(kWeights)}};
  graph.nodes = {{"conv", "Conv", {"pictures", "weight"}, {"map"}, {}}};
  graph.outputs = {{"map", OnnxType::f32, {kBatchExtent, 2, kAny, kAny}, ""}};
  return graph;
}

// The mean of each channel of [N,H,W,3].
OnnxGraph means(std::vector<std::int64_t> input) {
  OnnxGraph graph;
  graph.name = "means";
  const std::int64_t batch = input[0];
  graph.inputs = {{"pictures", OnnxType::f32, std::move(input), ""}};
  graph.nodes = {{"mean",
                  "ReduceMean",
                  {"pictures"},
                  {"features"},
                  {Attribute("axes", std::vector<int>{1, 2}), Attribute("keepdims", 0)}}};
  graph.outputs = {{"features", OnnxType::f32, {batch, 3}, ""}};
  return graph;
}

std::vector<std::uint8_t> drawn(std::int64_t count) {
  std::mt19937_64 random(5);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * kBytes);
  std::generate(pixels.begin(), pixels.end(), [&] { return static_cast<std::uint8_t>(random() >> 56); });
  return pixels;
}

// Of a channel of a picture, in 0..1.
double mean_of(const std::vector<std::uint8_t>& pixels, std::int64_t picture, std::size_t channel) {
  double sum = 0;
  for (std::size_t i = channel; i < kBytes; i += 3) {
    sum += pixels[static_cast<std::size_t>(picture) * kBytes + i];
  }
  return sum / 255 / (kHeight * kWidth);
}

class OnnxFile : public ::testing::Test {
protected:
  void SetUp() override {
    if (const OnnxLibrary library = onnx_library(); !library.is_usable) {
      GTEST_SKIP() << library.text;
    }
  }

  std::string file() const { return (folder_ / "net.onnx").string(); }
  void write(const std::string& bytes, const std::string& json) const {
    write_file(folder_ / "net.onnx", bytes);
    if (json.empty()) {
      std::filesystem::remove(folder_ / "net.onnx.json");
    } else {
      write_file(folder_ / "net.onnx.json", json);
    }
  }
  std::unique_ptr<Extractor> open(const std::string& bytes, const std::string& json, const Shape& picture = kPicture) {
    write(bytes, json);
    return make_onnx_extractor(file(), picture, 2, [this](const std::string& line) { said_ = line; });
  }
  std::unique_ptr<Extractor> open(const OnnxGraph& graph, const std::string& json, const Shape& picture = kPicture) {
    return open(to_onnx(graph, {}, "test"), json, picture);
  }

  void expect_refused(const OnnxGraph& graph, const std::string& json, const std::string& part) {
    expect_refused(to_onnx(graph, {}, "test"), json, Error::Kind::usage, part);
  }
  void expect_refused(const std::string& bytes, const std::string& json, Error::Kind kind, const std::string& part) {
    EXPECT_ERROR(open(bytes, json), kind, part);
  }

  TemporaryFolder folder_;
  std::string said_;
};

const std::string kJson = R"({"size": [4, 6], "mean": [0.5, 0.25, 0], "std": [0.5, 1, 2]})";

// As kJson has it.
double normalised_mean(const std::vector<std::uint8_t>& pixels, std::int64_t picture, std::size_t channel) {
  constexpr std::array mean = {0.5, 0.25, 0.0}, deviation = {0.5, 1.0, 2.0};
  return (mean_of(pixels, picture, channel) - mean[channel]) / deviation[channel];
}

TEST_F(OnnxFile, OfAMapMakesItsMeanOverPixels) {
  const auto extractor = open(map_of_channels({kBatchExtent, 3, kAny, kAny}), kJson);
  EXPECT_TRUE(said_.empty()) << said_;
  constexpr std::int64_t kCount = 71;  // no multiple of a batch
  const std::vector<std::uint8_t> pixels = drawn(kCount);
  const std::vector<float> features = extractor->extract(pixels, kCount).features;
  ASSERT_EQ(extractor->facts().width, 2);
  ASSERT_EQ(features.size(), 142U);
  for (std::int64_t i = 0; i < kCount; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      double expected = 0;
      for (std::size_t channel = 0; channel < 3; ++channel) {
        expected += static_cast<double>(kWeights[k * 3 + channel]) * normalised_mean(pixels, i, channel);
      }
      EXPECT_NEAR(features[static_cast<std::size_t>(i) * 2 + k], expected, 2e-6) << "picture " << i;
    }
  }
  // A row is its picture's whatever it is read with.
  const std::vector<float> alone = extractor->extract(std::span(pixels).subspan(70 * kBytes), 1).features;
  EXPECT_NEAR(alone[0], features[140], 1e-6);
}

TEST_F(OnnxFile, WithTheChannelsLastAndAFixedBatchIsFilledUp) {
  const auto extractor = open(means({4, kHeight, kWidth, 3}), kJson);
  const std::vector<std::uint8_t> pixels = drawn(10);
  const std::vector<float> features = extractor->extract(pixels, 10).features;
  ASSERT_EQ(features.size(), 30U);
  for (std::size_t i = 0; i < features.size(); ++i) {
    EXPECT_NEAR(features[i], normalised_mean(pixels, static_cast<std::int64_t>(i / 3), i % 3), 1e-6);
  }
}

TEST_F(OnnxFile, TakesGreyPicturesOfOtherSizes) {
  // A map of channels last; pictures of one colour, so that no resizing changes them.
  OnnxGraph graph = means({kBatchExtent, 5, 3, 3});
  graph.nodes = {{"twice", "Add", {"pictures", "pictures"}, {"features"}, {}}};
  graph.outputs[0].shape = {kBatchExtent, 5, 3, 3};
  const auto extractor = open(graph, R"({"mean": [0, 0, 0], "std": [1, 1, 1]})", {1, 8, 8, 1});
  EXPECT_NE(extractor->facts().resize.find("to 3x5 (width x height) by bicubic"), std::string::npos);
  std::vector<std::uint8_t> pixels(2 * 64, 51);
  std::fill(pixels.begin() + 64, pixels.end(), 102);
  const std::vector<float> features = extractor->extract(pixels, 2).features;
  ASSERT_EQ(features.size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(features[i], i < 3 ? 0.4 : 0.8, 1e-6);
  }
}

TEST_F(OnnxFile, SaysWhoseFeaturesTheyAre) {
  const OnnxGraph graph = map_of_channels({kBatchExtent, 3, kAny, kAny});
  const auto extractor = open(graph, "");
  const std::string bytes = to_onnx(graph, {}, "test");
  EXPECT_EQ(extractor->facts().name, "onnx:" + file());
  EXPECT_EQ(extractor->facts().hash, "sha256 " + sha256(std::as_bytes(std::span(bytes))));
  EXPECT_TRUE(extractor->facts().classes.empty());
  EXPECT_FALSE(extractor->facts().has_seen_training_pictures);
  EXPECT_NE(said_.find("there is no " + file() + ".json"), std::string::npos) << said_;
  EXPECT_NE(said_.find("to 224x224"), std::string::npos) << said_;
  EXPECT_NE(said_.find("mean 0.485 0.456 0.406, std 0.229 0.224 0.225"), std::string::npos) << said_;
  const std::string abc = "abc";  // FIPS 180-2, B.1
  EXPECT_EQ(sha256(std::as_bytes(std::span(abc))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(OnnxFile, OfAnotherFormIsRefused) {
  const OnnxGraph good = map_of_channels({kBatchExtent, 3, kAny, kAny});
  const std::string input = "but as an extractor it must have one input, of pictures, f32 [N,3,H,W] or [N,H,W,3]";
  OnnxGraph graph = means({kBatchExtent, 4, 6, 3});
  graph.inputs[0].shape = {kBatchExtent, 4, 3};
  expect_refused(graph, "", "its input pictures is f32 [?,4,3], " + input);
  graph = means({kBatchExtent, kAny, kAny, kAny});
  graph.outputs[0].shape = {kBatchExtent, kAny};
  expect_refused(graph, "", "its input pictures is f32 [?,?,?,?], " + input);
  graph = means({kBatchExtent, 4, 6, 3});
  graph.inputs[0].type = OnnxType::u8;
  graph.nodes.insert(graph.nodes.begin(), {"cast", "Cast", {"pictures"}, {"x"}, {Attribute("to", 1)}});
  graph.nodes[1].inputs = {"x"};
  expect_refused(graph, "", "its input pictures is u8 [?,4,6,3], " + input);
  graph = good;
  graph.inputs.push_back({"more", OnnxType::f32, {1}, ""});
  graph.nodes.push_back({"add", "Add", {"map", "more"}, {"sum"}, {}});
  graph.outputs[0].name = "sum";
  expect_refused(graph, "", "has 2 inputs, " + input);
  const std::string output = "but as an extractor it must have one output, of features, f32 [N,D] or a map of them";
  graph = good;
  graph.nodes.push_back({"again", "Relu", {"map"}, {"relu"}, {}});
  graph.outputs.push_back({"relu", OnnxType::f32, {kBatchExtent, 2, kAny, kAny}, ""});
  expect_refused(graph, "", "has 2 outputs, " + output);
  graph = means({kBatchExtent, 4, 6, 3});
  graph.nodes[0].attributes[0] = Attribute("axes", std::vector<int>{1});
  graph.outputs[0].shape = {kBatchExtent, 6, 3};
  expect_refused(graph, "", "its output features is f32 [?,6,3], " + output);
  graph = means({kBatchExtent, 4, 6, 3});
  graph.nodes[0].attributes[0] = Attribute("axes", std::vector<int>{0, 1});
  graph.outputs[0].shape = {6, 3};
  expect_refused(graph, "", "makes an array [6,3] of 4 pictures, but a row of features for each is needed");
  expect_refused(means({kBatchExtent, 4, 6, 3}), R"({"size": 8})", "says pictures of 8x8 (width x height), but");
  expect_refused(good, R"({"sizes": 8})", "has no key sizes");
}

TEST_F(OnnxFile, ThatCannotBeReadIsRefused) {
  const auto ignore = [](const std::string&) {};
  EXPECT_ERROR(make_onnx_extractor((folder_ / "none.onnx").string(), kPicture, 1, ignore), Error::Kind::data,
               "none.onnx: cannot be opened");
  EXPECT_ERROR(make_onnx_extractor(folder_.path().string(), kPicture, 1, ignore), Error::Kind::data, "cannot be read");
  expect_refused("", "", Error::Kind::data, "is no ONNX file that OpenVINO reads");
  expect_refused("no network at all", "", Error::Kind::data, "is no ONNX file that OpenVINO reads");
  std::string cut = to_onnx(means({kBatchExtent, 4, 6, 3}), {}, "test");
  cut.resize(cut.size() / 2);
  expect_refused(cut, "", Error::Kind::data, "is no ONNX file that OpenVINO reads");
}

}  // namespace
}  // namespace duel::test

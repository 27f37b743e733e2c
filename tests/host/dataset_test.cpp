// Data sets: which files of a folder are meant, how the known names are found, and that what disagrees is an error.
#include "host/data/open_dataset.h"

#include "host/data/synthetic.h"
#include "kernels/check.h"
#include "tests/support/bytes.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>  // setenv
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <set>
#include <string>

namespace duel {
namespace {

using test::Bytes;
using test::gzip;
using test::idx_bytes;

Dataset open(const std::string& source) {
  Options::Data options;
  options.source = source;
  return open_dataset(options);
}

std::string open_error(const std::string& source) {
  return test::data_error([&] { open(source); });
}

void expect_part(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in '" << message << "'";
}

// Sets a variable of the environment, or removes it, until the end of the test.
class Environment {
public:
  Environment(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    set(value);
  }
  ~Environment() { set(before_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

private:
  void set(const std::optional<std::string>& value) const {
    value ? ::setenv(name_, value->c_str(), 1) : ::unsetenv(name_);
  }

  const char* name_;
  std::optional<std::string> before_;
};

class IdxFolder : public ::testing::Test {
protected:
  std::string path() const { return folder_.path().string(); }
  void write(const std::string& name, const Bytes& bytes) const { test::write_bytes(folder_ / name, bytes); }

  test::TemporaryFolder folder_;
};

TEST_F(IdxFolder, HoldsPicturesAndLabels) {
  write("train-images-idx3-ubyte.gz", gzip(idx_bytes({4, 3, 5})));
  write("train-labels-idx1-ubyte.gz", gzip(idx_bytes({4})));
  const Dataset set = open(path());
  EXPECT_EQ(set.name, path());
  EXPECT_EQ(set.count, 4);
  EXPECT_EQ(set.height, 3);
  EXPECT_EQ(set.width, 5);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.pixels.size(), 60u);
  EXPECT_EQ(set.pixels[1], 10);
  EXPECT_EQ(set.labels, Bytes({3, 10, 17, 24}));
}

TEST_F(IdxFolder, NeedsNoLabels) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("t10k-labels-idx1-ubyte", idx_bytes({9}));
  EXPECT_TRUE(open(path()).labels.empty());
}

TEST_F(IdxFolder, HoldsColour) {
  write("train-images-idx4-ubyte", idx_bytes({2, 3, 5, 3}));
  write("train-labels-idx1-ubyte.gz", gzip(idx_bytes({2})));
  const Dataset set = open(path());
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.pixels.size(), 90u);
  EXPECT_EQ(set.labels.size(), 2u);
}

TEST_F(IdxFolder, KnowsTheDottedSpelling) {
  write("train-images.idx3-ubyte", idx_bytes({2, 3, 5}));
  write("train-labels.idx1-ubyte", idx_bytes({2}));
  write("t10k-images.idx3-ubyte", idx_bytes({7, 3, 5}));
  const Dataset set = open(path());
  EXPECT_EQ(set.count, 2);
  EXPECT_EQ(set.labels.size(), 2u);
}

TEST_F(IdxFolder, PrefersTheTrainingSplit) {
  write("t10k-images-idx3-ubyte", idx_bytes({7, 3, 5}));
  write("a-images-idx3-ubyte", idx_bytes({8, 3, 5}));
  write("train-images-idx3-ubyte.gz", gzip(idx_bytes({2, 3, 5})));
  EXPECT_EQ(open(path()).count, 2);
}

TEST_F(IdxFolder, TakesTheOnlyFileOfPictures) {
  write("shop-images-idx3-ubyte.gz", gzip(idx_bytes({5, 3, 5})));
  write("shop-labels-idx1-ubyte", idx_bytes({5}));
  write("README", {'x'});
  const Dataset set = open(path());
  EXPECT_EQ(set.count, 5);
  EXPECT_EQ(set.labels.size(), 5u);
}

TEST_F(IdxFolder, TakesTheOnlyTrainingFileOfPictures) {
  write("letters-train-images-idx3-ubyte", idx_bytes({5, 3, 5}));
  write("letters-train-images-idx3-ubyte.gz", gzip(idx_bytes({5, 3, 5})));
  write("letters-test-images-idx3-ubyte", idx_bytes({6, 3, 5}));
  EXPECT_EQ(open(path()).count, 5);
}

TEST_F(IdxFolder, DoesNotGuessAmongSeveral) {
  write("a-images-idx3-ubyte", idx_bytes({5, 3, 5}));
  write("b-images-idx3-ubyte", idx_bytes({6, 3, 5}));
  const std::string message = open_error(path());
  expect_part(message, path() + ": holds several files of pictures (a-images-idx3-ubyte, b-images-idx3-ubyte)");
}

TEST_F(IdxFolder, NamesAFolderWithoutPictures) {
  write("train-labels-idx1-ubyte", idx_bytes({5}));
  expect_part(open_error(path()), path() + ": holds no IDX file of pictures");
}

TEST_F(IdxFolder, NamesCountsThatDisagree) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("train-labels-idx1-ubyte", idx_bytes({5}));
  const std::string message = open_error(path());
  expect_part(message, path() + "/train-labels-idx1-ubyte: holds 5 labels");
  expect_part(message, "train-images-idx3-ubyte holds 4 pictures");
}

TEST_F(IdxFolder, NamesPicturesAndLabelsInEachOthersPlace) {
  write("train-images-idx3-ubyte", idx_bytes({4}));
  expect_part(open_error(path()), "train-images-idx3-ubyte: holds labels [4]");
  write("train-images-idx3-ubyte", idx_bytes({4, 1, 1}));
  write("train-labels-idx1-ubyte", idx_bytes({4, 1, 1}));
  expect_part(open_error(path()), "train-labels-idx1-ubyte: holds pictures [4,1,1]");
}

TEST_F(IdxFolder, PassesOnWhatIsWrongWithAFile) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("train-labels-idx1-ubyte", {});
  expect_part(open_error(path()), "train-labels-idx1-ubyte: is empty");
}

TEST_F(IdxFolder, NamesWhatIsNoFolder) {
  const std::string message = open_error("fashon-mnist");
  expect_part(message, "'fashon-mnist'");
  expect_part(message, "fashion-mnist, synthetic");
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  expect_part(open_error(path() + "/train-images-idx3-ubyte"), "train-images-idx3-ubyte: is a file");
}

TEST_F(IdxFolder, IsFashionMnistWhereTheVariableSaysSo) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  const Environment variable("DUEL_FASHION_MNIST", path());
  const Dataset set = open("fashion-mnist");
  EXPECT_EQ(set.name, "fashion-mnist");
  EXPECT_EQ(set.count, 4);
}

TEST_F(IdxFolder, IsNotFashionMnistWithoutItsFiles) {
  const Environment variable("DUEL_FASHION_MNIST", path());
  const std::string message = open_error("fashion-mnist");
  expect_part(message, path());
  expect_part(message, "$DUEL_FASHION_MNIST");
  expect_part(message, "bash tools/setup.sh");
}

TEST(FashionMnist, IsAllThere) {
  std::optional<Dataset> set;
  try {
    set = open("fashion-mnist");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  EXPECT_EQ(set->count, 60000);
  EXPECT_EQ(set->height, 28);
  EXPECT_EQ(set->width, 28);
  EXPECT_EQ(set->channels, 1);
  ASSERT_EQ(set->pixels.size(), 60000u * 28 * 28);
  const auto sum = std::accumulate(set->pixels.begin(), set->pixels.end(), std::int64_t{0});
  EXPECT_NEAR(static_cast<double>(sum) / 47040000.0, 72.9403, 0.0001);  // 0.2860 of 255, as widely published
  ASSERT_EQ(set->labels.size(), 60000u);
  EXPECT_EQ(set->labels[0], 9);  // an ankle boot
  for (std::uint8_t label = 0; label < 10; ++label) {
    EXPECT_EQ(std::count(set->labels.begin(), set->labels.end(), label), 6000) << int{label};
  }
}

Dataset synthetic(int count, int height, int width, int channels) {
  Options::Data options;
  options.source = "synthetic";
  options.synthetic_count = count;
  options.synthetic_height = height;
  options.synthetic_width = width;
  options.synthetic_channels = channels;
  return open_dataset(options);
}

TEST(Synthetic, HasTheExtentsAskedFor) {
  const Dataset set = synthetic(33, 5, 7, 3);
  EXPECT_EQ(set.name, "synthetic");
  EXPECT_EQ(set.count, 33);
  EXPECT_EQ(set.height, 5);
  EXPECT_EQ(set.width, 7);
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.pixels.size(), 33u * 5 * 7 * 3);
  ASSERT_EQ(set.labels.size(), 33u);
  EXPECT_EQ(set.labels[9], 9 % kSyntheticKinds);
  EXPECT_EQ(synthetic(1, 1, 1, 1).pixels.size(), 1u);
}

// The set is part of recorded results; whoever changes a shape changes these numbers on purpose.
TEST(Synthetic, IsTheSameEverywhere) {
  const auto checksum = [](const Dataset& set) {
    return crc32(0, set.pixels.data(), static_cast<uInt>(set.pixels.size()));
  };
  EXPECT_EQ(checksum(synthetic(64, 28, 28, 1)), 1272930424u);
  EXPECT_EQ(checksum(synthetic(64, 33, 20, 3)), 1834894305u);
}

TEST(Synthetic, ASmallerSetIsTheBeginningOfALarger) {
  const Dataset small = synthetic(10, 16, 16, 3);
  const Dataset large = synthetic(20, 16, 16, 3);
  EXPECT_TRUE(std::equal(small.pixels.begin(), small.pixels.end(), large.pixels.begin()));
}

TEST(Synthetic, DrawsProductsThatDiffer) {
  const Dataset set = synthetic(400, 28, 28, 1);
  std::set<Bytes> seen;
  for (int n = 0; n < set.count; ++n) {
    const auto begin = set.pixels.begin() + n * 28 * 28;
    const Bytes picture(begin, begin + 28 * 28);
    const auto lit = std::count_if(picture.begin(), picture.end(), [](std::uint8_t pixel) { return pixel > 50; });
    EXPECT_GT(lit, 28 * 28 / 25) << n << ": hardly anything is drawn";
    EXPECT_LT(lit, 28 * 28 * 9 / 10) << n << ": hardly any background is left";
    EXPECT_EQ(picture[0], 0) << n;
    EXPECT_TRUE(seen.insert(picture).second) << n << " repeats an earlier picture";
  }
}

TEST(Synthetic, HasColourWithThreeChannels) {
  const Dataset set = synthetic(16, 28, 28, 3);
  int coloured = 0;
  for (std::size_t i = 0; i < set.pixels.size(); i += 3) {
    coloured += set.pixels[i] != set.pixels[i + 1] || set.pixels[i] != set.pixels[i + 2] ? 1 : 0;
  }
  EXPECT_GT(coloured, 16 * 28 * 28 / 10);
}

TEST(Synthetic, RefusesExtentsThatCannotBeDrawn) {
  const auto refuses = [](int count, int height, int width, int channels) {
    try {
      synthetic(count, height, width, channels);
    } catch (const Error& error) {
      return error.kind() == Error::Kind::usage;
    }
    return false;
  };
  EXPECT_TRUE(refuses(0, 28, 28, 1));
  EXPECT_TRUE(refuses(1, 0, 28, 1));
  EXPECT_TRUE(refuses(1, 28, 8193, 1));
  EXPECT_TRUE(refuses(1, 28, 28, 2));
  EXPECT_TRUE(refuses(16'777'216, 1024, 1024, 3));
}

}  // namespace
}  // namespace duel

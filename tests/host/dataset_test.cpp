// Data sets: which files of a folder are meant, how the known names are found, and that what disagrees is an error.
#include "host/data/open_dataset.h"

#include "host/data/synthetic.h"
#include "kernels/check.h"
#include "tests/support/bytes.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/source_rows.h"
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

// What a data set holds, to be looked at.
struct Opened {
  explicit Opened(const Options::Data& options) : data(open_dataset(options)) {
    const Shape picture = picture_shape(source);
    height = picture[1];
    width = picture[2];
    channels = picture[3];
    pixels = test::read_field<std::uint8_t>(source, "picture");
    if (has_field(source, "label")) {
      labels = test::read_field<std::int32_t>(source, "label");
      classes = field_named(source, "label").names;
    }
  }

  Data data;
  const Source& source = main_source(data);
  std::int64_t count = source.count();
  int height, width, channels;
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  std::vector<std::string> classes;
};

Opened open(const std::string& source) {
  Options::Data options;
  options.source = source;
  return Opened(options);
}

Bytes label_file(const Bytes& labels) {
  Bytes file = test::idx_header(0x08, {static_cast<std::uint32_t>(labels.size())});
  file.insert(file.end(), labels.begin(), labels.end());
  return file;
}

Bytes text_file(const std::string& text) {
  return {text.begin(), text.end()};
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
  const Opened set = open(path());
  EXPECT_EQ(set.source.name(), path());
  EXPECT_EQ(set.count, 4);
  EXPECT_EQ(set.height, 3);
  EXPECT_EQ(set.width, 5);
  EXPECT_EQ(set.channels, 1);
  EXPECT_EQ(set.pixels.size(), 60u);
  EXPECT_EQ(set.pixels[1], 10);
  EXPECT_EQ(set.labels, std::vector<std::int32_t>({3, 10, 17, 24}));
  EXPECT_EQ(set.classes.size(), 25u);
  EXPECT_EQ(set.classes[24], "24");
  EXPECT_TRUE(set.source.fingerprint().starts_with("4 pictures of 3x5x1, crc32c ")) << set.source.fingerprint();
}

TEST_F(IdxFolder, NamesItsClasses) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("train-labels-idx1-ubyte", label_file({0, 2, 1, 2}));
  write("classes.txt", text_file(" Ankle boot\r\nT-shirt/top\nTasche mit B\xc3\xbcgel\n\n"));
  EXPECT_EQ(open(path()).classes, std::vector<std::string>({"Ankle boot", "T-shirt/top", "Tasche mit B\xc3\xbcgel"}));
}

TEST_F(IdxFolder, NamesLabelsThatNoNameFits) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("train-labels-idx1-ubyte", label_file({0, 2, 1, 2}));
  write("classes.txt", text_file("boot\nbag"));
  EXPECT_EQ(open_error(path()), path() + "/train-labels-idx1-ubyte: the label of row 1 is 2, but " + path() +
                                    "/classes.txt names 2 classes, counted from 0");
  const Environment variable("DUEL_FASHION_MNIST", path());
  std::filesystem::remove(folder_ / "classes.txt");
  write("train-labels-idx1-ubyte", label_file({0, 2, 1, 10}));
  EXPECT_EQ(open_error("fashion-mnist"), path() +
                                             "/train-labels-idx1-ubyte: the label of row 3 is 10, but "
                                             "fashion-mnist has 10 classes, counted from 0");
}

TEST_F(IdxFolder, RefusesNamesThatAreNone) {
  write("train-images-idx3-ubyte", idx_bytes({1, 3, 5}));
  write("train-labels-idx1-ubyte", label_file({0}));
  const auto error_of = [&](const std::string& names) {
    write("classes.txt", text_file(names));
    return open_error(path());
  };
  const std::string file = path() + "/classes.txt";
  EXPECT_EQ(error_of(" \n\n"), file + ": names no class");
  EXPECT_EQ(error_of("bag\n\nboot\n"), file + ":2: an empty line stands before 'boot'; each line must name a class");
  EXPECT_EQ(error_of("bag\nboot\nBag\n"), file + ":3: the name 'Bag' stands in line 1 already");
  EXPECT_EQ(error_of("b\x07g\n"), file + ":1: a name holds the byte 07, which is no text");
  EXPECT_EQ(error_of(std::string(201, 'x')), file + ":1: at most 65536 names of 200 bytes are read");
  std::string many;
  for (int i = 0; i < 257; ++i) {
    many += std::to_string(i) + "\n";
  }
  EXPECT_EQ(error_of(many), file + ": names 257 classes, but the labels in " + path() +
                                "/train-labels-idx1-ubyte are bytes and tell 256 at most apart");
}

TEST_F(IdxFolder, HoldsOutASplitOfItsOwn) {
  Options::Data options;
  options.source = path();
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("train-labels-idx1-ubyte", label_file({0, 2, 1, 2}));
  const Opened set = open(path());
  EXPECT_EQ(open_held_out(options, set.source), nullptr);
  write("t10k-images-idx3-ubyte.gz", gzip(idx_bytes({2, 3, 5})));
  write("t10k-labels-idx1-ubyte", label_file({1, 0}));
  const std::unique_ptr<const Source> held_out = open_held_out(options, set.source);
  EXPECT_EQ(held_out->count(), 2);
  EXPECT_EQ(field_named(*held_out, "label").names, set.classes);
  EXPECT_EQ(test::read_field<std::int32_t>(*held_out, "label"), std::vector<std::int32_t>({1, 0}));
  write("t10k-labels-idx1-ubyte", label_file({1, 3}));
  EXPECT_EQ(test::data_error([&] { open_held_out(options, set.source); }),
            path() +
                "/t10k-labels-idx1-ubyte: the label of row 1 is 3, but the training split has 3 classes, counted "
                "from 0");
  std::filesystem::remove(folder_ / "t10k-images-idx3-ubyte.gz");
  write("t10k-images-idx3-ubyte", idx_bytes({2, 5, 3}));
  write("t10k-labels-idx1-ubyte", label_file({1, 0}));
  EXPECT_EQ(test::data_error([&] { open_held_out(options, set.source); }),
            path() + "/t10k-images-idx3-ubyte: holds pictures of 5x3x1, but those of the training split are 3x5x1");
}

TEST_F(IdxFolder, HoldsOpacity) {
  write("train-images-idx4-ubyte", idx_bytes({2, 3, 5, 4}));
  EXPECT_EQ(open(path()).channels, 4);
}

TEST_F(IdxFolder, NeedsNoLabels) {
  write("train-images-idx3-ubyte", idx_bytes({4, 3, 5}));
  write("t10k-labels-idx1-ubyte", idx_bytes({9}));
  const Opened set = open(path());
  EXPECT_FALSE(has_field(set.source, "label"));
  EXPECT_EQ(test::data_error([&] { field_named(set.source, "label"); }),
            path() + " has no field 'label'; it has: picture");
}

TEST_F(IdxFolder, HoldsColour) {
  write("train-images-idx4-ubyte", idx_bytes({2, 3, 5, 3}));
  write("train-labels-idx1-ubyte.gz", gzip(idx_bytes({2})));
  const Opened set = open(path());
  EXPECT_EQ(set.channels, 3);
  EXPECT_EQ(set.pixels.size(), 90u);
  EXPECT_EQ(set.labels.size(), 2u);
}

TEST_F(IdxFolder, KnowsTheDottedSpelling) {
  write("train-images.idx3-ubyte", idx_bytes({2, 3, 5}));
  write("train-labels.idx1-ubyte", idx_bytes({2}));
  write("t10k-images.idx3-ubyte", idx_bytes({7, 3, 5}));
  const Opened set = open(path());
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
  const Opened set = open(path());
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
  expect_part(open_error(path()), path() + ": holds no photograph");
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
  const Opened set = open("fashion-mnist");
  EXPECT_EQ(set.source.name(), "fashion-mnist");
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
  std::optional<Opened> set;
  try {
    Options::Data options;
    options.source = "fashion-mnist";
    set.emplace(options);
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
  EXPECT_EQ(class_counts(set->source, "label"), std::vector<std::int64_t>(10, 6000));
  EXPECT_EQ(set->classes[9], "Ankle boot");
  EXPECT_EQ(set->classes.size(), 10u);
  EXPECT_EQ(set->source.fingerprint(), "60000 pictures of 28x28x1, crc32c 29f8d94a");
}

Opened synthetic(int count, int height, int width, int channels) {
  Options::Data options;
  options.source = "synthetic";
  options.synthetic_count = count;
  options.synthetic_height = height;
  options.synthetic_width = width;
  options.synthetic_channels = channels;
  return Opened(options);
}

TEST(Synthetic, HasTheExtentsAskedFor) {
  const Opened set = synthetic(33, 5, 7, 3);
  EXPECT_EQ(set.source.name(), "synthetic");
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
  const auto checksum = [](const Opened& set) {
    return crc32(0, set.pixels.data(), static_cast<uInt>(set.pixels.size()));
  };
  EXPECT_EQ(checksum(synthetic(64, 28, 28, 1)), 1272930424u);
  EXPECT_EQ(checksum(synthetic(64, 33, 20, 3)), 1834894305u);
}

TEST(Synthetic, ASmallerSetIsTheBeginningOfALarger) {
  const Opened small = synthetic(10, 16, 16, 3);
  const Opened large = synthetic(20, 16, 16, 3);
  EXPECT_TRUE(std::equal(small.pixels.begin(), small.pixels.end(), large.pixels.begin()));
}

TEST(Synthetic, DrawsProductsThatDiffer) {
  const Opened set = synthetic(400, 28, 28, 1);
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
  const Opened set = synthetic(16, 28, 28, 3);
  int coloured = 0;
  for (std::size_t i = 0; i < set.pixels.size(); i += 3) {
    coloured += set.pixels[i] != set.pixels[i + 1] || set.pixels[i] != set.pixels[i + 2] ? 1 : 0;
  }
  EXPECT_GT(coloured, 16 * 28 * 28 / 10);
}

// The tones are those of the set without opacity, and the product is what is opaque.
TEST(Synthetic, HasOpacityWithTwoOrFourChannels) {
  for (const int tones : {1, 3}) {
    const Opened without = synthetic(8, 16, 12, tones), with = synthetic(8, 16, 12, tones + 1);
    int opaque = 0;
    for (std::size_t pixel = 0; pixel < 8 * 16 * 12; ++pixel) {
      const auto* const left = without.pixels.data() + pixel * static_cast<std::size_t>(tones);
      const auto* const right = with.pixels.data() + pixel * (static_cast<std::size_t>(tones) + 1);
      ASSERT_TRUE(std::equal(left, left + tones, right)) << pixel;
      opaque += right[tones] == 255 ? 1 : 0;
      ASSERT_TRUE(right[tones] > 0 || std::all_of(left, left + tones, [](int tone) { return tone == 0; })) << pixel;
    }
    EXPECT_GT(opaque, 8 * 16 * 12 / 10);
    EXPECT_LT(opaque, 8 * 16 * 12 * 9 / 10);
  }
}

TEST(Synthetic, HoldsOutWhatALargerSetWouldHaveNext) {
  Options::Data options;
  options.source = "synthetic";
  options.synthetic_count = 20;
  options.synthetic_height = options.synthetic_width = 16;
  const Opened set(options), larger = synthetic(22, 16, 16, 1);
  const std::unique_ptr<const Source> held_out = open_held_out(options, set.source);
  EXPECT_EQ(held_out->count(), 2);
  const Bytes pixels = test::read_field<std::uint8_t>(*held_out, "picture");
  EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), larger.pixels.begin() + 20 * 16 * 16, larger.pixels.end()));
  EXPECT_EQ(test::read_field<std::int32_t>(*held_out, "label"), std::vector<std::int32_t>({4, 5}));
}

TEST(Synthetic, KnowsItsKinds) {
  const Opened set = synthetic(20, 4, 4, 1);
  EXPECT_EQ(set.classes.size(), static_cast<std::size_t>(kSyntheticKinds));
  EXPECT_EQ(set.classes[5], "Shoe");
  EXPECT_EQ(class_counts(set.source, "label"), std::vector<std::int64_t>({3, 3, 3, 3, 2, 2, 2, 2}));
  EXPECT_NO_THROW(check_every_class_has_rows(set.source, "label"));
  const std::string message = test::data_error([] {
    const Opened few = synthetic(6, 4, 4, 1);
    check_every_class_has_rows(few.source, "label");
  });
  EXPECT_EQ(message, "synthetic: no picture is of class 6 (Bag), so it cannot be learnt; 2 of 8 classes have none");
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
  EXPECT_TRUE(refuses(1, 28, 28, 0));
  EXPECT_TRUE(refuses(1, 28, 28, 5));
  EXPECT_TRUE(refuses(16'777'216, 1024, 1024, 3));
}

}  // namespace
}  // namespace duel

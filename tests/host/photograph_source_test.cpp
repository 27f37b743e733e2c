// Photographs as rows: the cache that they are decoded into, what is held out, and the report on them.
#include "host/data/photograph_source.h"

#include "host/data/data_report.h"
#include "host/data/open_dataset.h"
#include "host/data/picture_look.h"
#include "host/data/scan_photographs.h"
#include "tests/support/photographs.h"
#include "tests/support/source_rows.h"

#include <unistd.h>

#include <bit>
#include <set>

namespace duel {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

class PhotographRows : public test::Photographs {
protected:
  void SetUp() override {
    if (!can_decode_photographs()) {
      GTEST_SKIP() << "this build has no libvips";
    }
  }
  Data open() const { return open_dataset(options()); }
  DataReport report(const std::string& recipe = "gan") const {
    const Data data = open();
    return report_data(main_source(data), open_held_out(options(), main_source(data)).get(), recipe);
  }
  // What became of the cache: "" where it was found as it was.
  std::string note() const {
    const Data data = open();
    return dynamic_cast<const PhotographSource&>(main_source(data)).set().decoded.note;
  }
  fs::path cache() const {
    for (const auto& entry : fs::directory_iterator(folder_ / "cache/duel/pictures")) {
      if (entry.path().extension() == ".rows") {
        return entry.path();
      }
    }
    return {};
  }
};

std::vector<std::uint8_t> pixels_of(const Data& data) {
  return test::read_field<std::uint8_t>(main_source(data), "picture");
}

TEST_F(PhotographRows, AreDecodedOnceAndFoundAgain) {
  draw_classes({"bag", "shoe"}, 12);
  const Data first = open();
  const Source& main = main_source(first);
  EXPECT_EQ(picture_shape(main), Shape({1, 16, 12, 3}));
  EXPECT_EQ(field_named(main, "label").names, (Names{"bag", "shoe"}));
  const auto written = fs::last_write_time(cache());
  EXPECT_EQ(note(), "");
  const Data second = open();
  EXPECT_EQ(fs::last_write_time(cache()), written);
  EXPECT_EQ(pixels_of(first), pixels_of(second));
  EXPECT_EQ(main.fingerprint(), main_source(second).fingerprint());
  EXPECT_EQ(main.fingerprint().rfind(fmt::format("{} pictures of 16x12x3, crc32c ", main.count()), 0), 0U);
}

TEST_F(PhotographRows, EqualPicturesAreEqualRowsWhateverTheThreads) {
  draw_classes({"bag", "shoe"}, 12);
  const std::vector<std::uint8_t> rows = pixels_of(open_dataset(options(), {1, {}}));
  fs::remove(cache());
  EXPECT_EQ(pixels_of(open_dataset(options(), {5, {}})), rows);
}

TEST_F(PhotographRows, ACacheThatIsNotWholeIsMadeAgainAndThatIsSaid) {
  draw_classes({"bag"}, 12);
  const std::vector<std::uint8_t> rows = pixels_of(open());
  const std::string whole = test::read_file(cache());
  const auto expect_again = [&](const std::string& text, const std::string& why) {
    test::write_file(cache(), text);
    const std::string said = note();
    EXPECT_NE(said.find(", again because the cache " + why), std::string::npos) << said;
    EXPECT_EQ(pixels_of(open()), rows);
  };
  expect_again(whole.substr(0, whole.size() / 2), "is not whole");
  expect_again("", "is not whole");
  const auto flipped = [&](std::size_t place) {
    std::string text = whole;
    text[place] = static_cast<char>(text[place] ^ 1);
    return text;
  };
  expect_again(flipped(100), "its rows are damaged");
  expect_again(flipped(whole.size() - 100), "its index is damaged");
  expect_again(flipped(whole.size() - 30), "is damaged at its end");
  expect_again(flipped(whole.size() - 56), "is of format 0, and this program reads 1");
  // What a killed process left goes when the next one is made.
  test::write_file(cache().string() + ".tmp-12345", "half");
  fs::remove(cache());
  open();
  EXPECT_FALSE(fs::exists(cache().string() + ".tmp-12345"));
}

TEST_F(PhotographRows, AFolderThatHasChangedIsDecodedAgain) {
  draw_classes({"bag"}, 6);
  open();
  draw("bag/0.png", 77);
  EXPECT_NE(note().find("again because the folder has changed"), std::string::npos);
  draw("bag/new.png", 78);
  EXPECT_NE(note().find("again because the folder has changed"), std::string::npos);
  fs::remove(shop_ / "bag/new.png");
  EXPECT_EQ(note(), "");  // what is left is in the cache
  draw("shoe/0.png", 79);
  test::write_file(shop_ / "labels.csv", "file,label\n0.png,x\n");
  EXPECT_ERROR(open(), Error::Kind::data, "could be bag/0.png or shoe/0.png");
}

TEST_F(PhotographRows, BrokenFilesAreListedAndFatalOnlyIfNoneIsLeft) {
  draw("bag/0.png", 1);
  test::write_file(shop_ / "bag/broken.jpg", "no picture at all");
  test::write_file(shop_ / "bag/half.png", test::read_file(shop_ / "bag/0.png").substr(0, 60));
  test::write_file(shop_ / "bag/empty.png", "");
  const DataReport found = report();
  ASSERT_EQ(found.files.skipped.size(), 3U);
  EXPECT_EQ(found.files.skipped[0].file, "bag/broken.jpg");
  EXPECT_EQ(found.files.skipped[1].reason, "is empty");
  EXPECT_EQ(found.files.skipped[2].file, "bag/half.png");
  EXPECT_EQ(found.training, 1);
  fs::remove(shop_ / "bag/0.png");
  EXPECT_ERROR(open(), Error::Kind::data, "none of its 2 pictures can be read; the first, bag/broken.jpg: ");
  fs::remove(shop_ / "bag/broken.jpg");
  fs::remove(shop_ / "bag/half.png");
  EXPECT_ERROR(open(), Error::Kind::data, "holds no picture that can be used; of 1 files the first, bag/empty.png");
  fs::remove(shop_ / "bag/empty.png");
  EXPECT_ERROR(open(), Error::Kind::data, "holds no photograph");
}

TEST_F(PhotographRows, FilesThatChangeOrGoWhileTheyAreReadAreNamed) {
  draw_classes({"bag"}, 4);
  const DecodeSettings settings{picture_form(options()), 1, [&](const DecodeProgress& progress) {
                                  if (progress.what == "decoding" && progress.done == 0) {
                                    draw("bag/1.png", test::drawn_picture(50, 90, 90));
                                    fs::remove(shop_ / "bag/2.png");
                                  }
                                }};
  const DecodedFolder decoded = decode_photographs(scan_photographs(shop_), settings);
  EXPECT_EQ(decoded.pictures[0]->fault, "");
  EXPECT_EQ(decoded.pictures[1]->fault, "changed while the folder was read");
  EXPECT_EQ(decoded.pictures[2]->fault, "went while the folder was read");
  EXPECT_EQ(decoded.pictures[3]->row, 1);
  EXPECT_NE(note().find("again because the folder has changed"), std::string::npos);
  EXPECT_EQ(report().training, 3);
}

TEST_F(PhotographRows, AnEndInBetweenLeavesNothing) {
  draw_classes({"bag"}, 4);
  struct Stop {};
  const Opening stopped{1, [](const DecodeProgress& progress) {
                          if (progress.what == "decoding" && progress.done > 0) {
                            throw Stop{};
                          }
                        }};
  EXPECT_THROW(open_dataset(options(), stopped), Stop);
  EXPECT_EQ(cache(), fs::path());
  for (const std::string& name : test::names_in(folder_ / "cache/duel/pictures")) {
    EXPECT_TRUE(name.ends_with(".lock")) << name;
  }
}

TEST_F(PhotographRows, NeedAPlaceAndRoom) {
  draw("0.png", 1);
  EXPECT_ERROR(check_cache_room(5000, 4999, "/c/x.rows"), Error::Kind::data,
               "/c/x.rows: the decoded pictures take 5000 bytes, but 4999 are free there");
  check_cache_room(5000, 5000, "/c/x.rows");
  const int status = test::status_of_child([&] {
    ::unsetenv("XDG_CACHE_HOME");
    ::setenv("HOME", "relative", 1);
    const auto error = test::error_of([&] { open(); });
    return error && std::string(error->what()).find("there is nowhere to keep decoded pictures") == 0 ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(PhotographRows, GreyIsFoundAndColourAndOpacityAreAskedFor) {
  draw("0.png", test::drawn_picture(1, 24, 20, 1));
  draw("1.png", test::drawn_picture(2, 24, 20, 1));
  EXPECT_EQ(picture_shape(main_source(open())), Shape({1, 16, 12, 1}));
  EXPECT_FALSE(has_field(main_source(open()), "label"));
  Options::Data asked = options();
  asked.colour = "colour";
  EXPECT_EQ(picture_shape(main_source(open_dataset(asked)))[3], 3);
  asked.alpha = "keep";
  EXPECT_EQ(picture_shape(main_source(open_dataset(asked)))[3], 4);
  asked.colour = "grey";
  EXPECT_ERROR(open_dataset(asked), Error::Kind::usage, "data.alpha = keep goes with colour");
  draw("2.png", 3);
  EXPECT_EQ(picture_shape(main_source(open()))[3], 3);
}

TEST_F(PhotographRows, OnlyPhotographsAreBroughtToASize) {
  Options::Data asked;
  asked.source = "synthetic";
  asked.synthetic_count = 4;
  asked.size = "28x28";
  EXPECT_EQ(main_source(open_dataset(asked)).count(), 4);
  asked.size = "32x28";
  EXPECT_ERROR(open_dataset(asked), Error::Kind::usage, "data.size = 32x28: the pictures of synthetic are 28x28");
}

TEST_F(PhotographRows, ATenthIsHeldOutByNameAndNeverAClassesLast) {
  for (int i = 0; i < 300; ++i) {
    draw(fmt::format("bag/{}.png", i), Picture{2, 2, 1, {static_cast<std::uint8_t>(i), 0, 0, 9}});
  }
  draw("single/0.png", 5);
  Data data = open();
  const auto held_out = open_held_out(options(), main_source(data));
  EXPECT_EQ(main_source(data).count() + held_out->count(), 301);
  EXPECT_NEAR(static_cast<double>(held_out->count()), 30, 14);  // 2.7 deviations of a fair tenth
  const auto files = [](const Source& source, const std::vector<std::size_t> PhotographSet::*part) {
    const PhotographSet& set = dynamic_cast<const PhotographSource&>(source).set();
    std::set<std::string> names;
    for (const std::size_t place : set.*part) {
      names.insert(set.folder.pictures[place].file);
    }
    return names;
  };
  const auto before = files(main_source(data), &PhotographSet::held_out);
  Options::Data all = options();
  all.held_out = 90;
  data = open_dataset(all);
  EXPECT_EQ(files(main_source(data), &PhotographSet::training).count("single/0.png"), 1U);
  EXPECT_EQ(class_counts(main_source(data), "label").at(1), 1);
  for (int i = 0; i < 300; i += 2) {
    fs::remove(shop_ / fmt::format("bag/{}.png", i));
  }
  data = open();
  for (const std::string& file : files(main_source(data), &PhotographSet::held_out)) {
    EXPECT_EQ(before.count(file), 1U) << file;
  }
  all.held_out = 0;
  data = open_dataset(all);
  EXPECT_EQ(open_held_out(all, main_source(data)), nullptr);
}

TEST_F(PhotographRows, AttributesAreAFieldOfWhatIsKnown) {
  draw("0.png", 0);
  draw("1.png", 1);
  draw("2.png", 2);
  test::write_file(shop_ / "labels.csv", "file,label,colour,size\n0.png,a,red,\n1.png,b,,large\n2.png,b,blue,\n");
  Options::Data asked = options();
  asked.held_out = 0;
  const Data data = open_dataset(asked);
  EXPECT_EQ(field_named(main_source(data), "attributes").names, (Names{"colour=blue", "colour=red", "size=large"}));
  EXPECT_EQ(test::read_field<float>(main_source(data), "attributes"),
            (std::vector<float>{0, 1, -1, -1, -1, 1, 1, 0, -1}));
}

TEST_F(PhotographRows, TheReportFindsCopiesAndWhatLooksAlike) {
  for (int i = 0; i < 8; ++i) {
    draw(fmt::format("bag/{}.png", i), test::drawn_picture(13 * i, 60, 50));
  }
  fs::copy_file(shop_ / "bag/1.png", shop_ / "bag/copy.png");
  fs::create_directories(shop_ / "shoe");
  fs::copy_file(shop_ / "bag/2.png", shop_ / "shoe/2.png");
  Picture lighter = test::drawn_picture(39, 60, 50);  // bag/3.png
  for (std::uint8_t& level : lighter.pixels) {
    level = static_cast<std::uint8_t>(level + 3);
  }
  draw("shoe/alike.png", lighter);
  const DataReport found = report();
  EXPECT_EQ(found.files.exact, (std::vector<Names>{{"bag/1.png", "bag/copy.png"}, {"bag/2.png", "shoe/2.png"}}));
  EXPECT_EQ(found.files.contradictory,
            (std::vector<Names>{{"bag/2.png", "shoe/2.png"}, {"bag/3.png", "shoe/alike.png"}}));
  EXPECT_EQ(found.files.near, (std::vector<Names>{{"bag/3.png", "shoe/alike.png"}}));
  EXPECT_EQ(found.files.portrait, 11);
  EXPECT_EQ(found.files.formats, (std::map<std::string, std::int64_t>{{"PNG", 11}}));
  const std::string text = to_text(found);
  for (const char* part : {"look alike (1):\n  bag/3.png = shoe/alike.png", "pictures to train on are few: below 1000",
                           "2 pictures, or some that look like them, lie under several classes, such as bag/2.png = "
                           "shoe/2.png"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
}

TEST_F(PhotographRows, TheReportSaysWhatTheSizeCostsAndWhatIsNotRead) {
  for (int i = 0; i < 4; ++i) {
    draw(fmt::format("{}.png", i), test::drawn_picture(i, 40, 10));
  }
  test::write_file(shop_ / "new.HEIC", "x");
  const DataReport found = report();
  EXPECT_NEAR(found.files.cut, 1 - (10.0 / 40) / (12.0 / 16), 1e-9);
  EXPECT_EQ(found.files.enlarged, 4);
  EXPECT_EQ(found.files.largest.height, 40);
  const std::string text = to_text(found);
  for (const char* part : {"67 % of a picture are cut off to make it 12x16, in the mean, for most are taller",
                           "4 pictures are smaller than 12x16", "1 file is in .heic, which is not read",
                           "--set data.labels=false trains without"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
  }
  Options::Data contained = options();
  contained.fit = "contain";
  EXPECT_EQ(report_data(main_source(open_dataset(contained)), nullptr, "gan").files.cut, 0);
}

TEST(PictureLook, NearPairsAreThoseThatComparingAllFinds) {
  std::vector<std::uint64_t> hashes;
  std::uint64_t state = 1;
  std::set<std::uint64_t> known;  // of equal hashes only neighbours are named
  while (hashes.size() < 400) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t flipped = std::uint64_t{1} << (state >> 58);
    const std::size_t i = hashes.size();
    const std::uint64_t hash = i % 3 == 0 ? state : hashes[i - (i < 9 ? 1 : 3)] ^ flipped;
    if (known.insert(hash).second) {
      hashes.push_back(hash);
    }
  }
  std::set<std::pair<std::size_t, std::size_t>> expected;
  for (std::size_t a = 0; a < hashes.size(); ++a) {
    for (std::size_t b = a + 1; b < hashes.size(); ++b) {
      if (std::popcount(hashes[a] ^ hashes[b]) <= kNearBits) {
        expected.emplace(a, b);
      }
    }
  }
  ASSERT_GT(expected.size(), 100U);
  const auto found = near_pairs(hashes);
  EXPECT_EQ((std::set<std::pair<std::size_t, std::size_t>>(found.begin(), found.end())), expected);
}

}  // namespace
}  // namespace duel

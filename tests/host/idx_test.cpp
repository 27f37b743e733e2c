// IDX files: what is right is read, and whatever a download can do to a file is told apart and named.
#include "host/data/idx.h"

#include "tests/support/bytes.h"
#include "tests/support/idx_bytes.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <string>
#include <vector>

namespace duel {
namespace {

using test::Bytes;
using test::gzip;
using test::idx_bytes;
using test::idx_header;
using ::testing::AssertionFailure;
using ::testing::AssertionResult;
using ::testing::AssertionSuccess;

class Idx : public ::testing::Test {
protected:
  IdxArray read(const Bytes& bytes) const { return read_idx(test::write_bytes(folder_ / "file", bytes)); }

  // Reading fails, the message begins with the path, and holds every part.
  AssertionResult fails(const Bytes& bytes, const std::vector<std::string>& parts) const {
    const auto file = test::write_bytes(folder_ / "file", bytes);
    const std::string message = test::data_error([&] { read_idx(file); });
    if (message.rfind(file.string() + ": ", 0) != 0) {
      return AssertionFailure() << "no path in '" << message << "'";
    }
    for (const std::string& part : parts) {
      if (message.find(part) == std::string::npos) {
        return AssertionFailure() << "no '" << part << "' in '" << message << "'";
      }
    }
    return AssertionSuccess();
  }

  test::TemporaryFolder folder_;
};

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Bytes first(const Bytes& bytes, std::size_t size) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
}

TEST_F(Idx, ReadsLabelsAndPictures) {
  const IdxArray labels = read(idx_bytes({5}));
  EXPECT_EQ(labels.shape, Shape({5}));
  EXPECT_EQ(labels.values, Bytes({3, 10, 17, 24, 31}));

  EXPECT_EQ(read(idx_bytes({2, 3, 4})).shape, Shape({2, 3, 4}));
  EXPECT_EQ(read(idx_bytes({2, 3, 4, 1})).shape, Shape({2, 3, 4, 1}));
  const IdxArray colour = read(idx_bytes({2, 3, 4, 3}));
  EXPECT_EQ(colour.shape, Shape({2, 3, 4, 3}));
  ASSERT_EQ(colour.values.size(), 72u);
  EXPECT_EQ(colour.values[71], (7 * 71 + 3) % 256);
}

TEST_F(Idx, TellsGzipByContentNotByName) {
  const Bytes plain = idx_bytes({3, 5, 7});
  const Bytes expected(plain.begin() + 16, plain.end());
  EXPECT_EQ(read_idx(test::write_bytes(folder_ / "plain-idx3-ubyte", plain)).values, expected);
  EXPECT_EQ(read_idx(test::write_bytes(folder_ / "plain-idx3-ubyte.gz", plain)).values, expected);
  EXPECT_EQ(read_idx(test::write_bytes(folder_ / "packed-idx3-ubyte.gz", gzip(plain))).values, expected);
  EXPECT_EQ(read_idx(test::write_bytes(folder_ / "packed-idx3-ubyte", gzip(plain))).values, expected);
}

TEST_F(Idx, ReadsGzipOfSeveralMembers) {
  const Bytes plain = idx_bytes({3, 5, 7});
  const Bytes head = first(plain, 31);
  const Bytes tail(plain.begin() + 31, plain.end());
  EXPECT_EQ(read(gzip(head) + gzip(tail)).values, read(plain).values);
  EXPECT_TRUE(fails(gzip(head) + first(gzip(tail), 15), {"truncated", "121 bytes expected", "cut off"}));
}

// Longer than the buffers inside, so that their seams are crossed.
TEST_F(Idx, ReadsMoreThanItsBuffers) {
  const Bytes plain = idx_bytes({3001, 28, 28});
  const Bytes expected(plain.begin() + 16, plain.end());
  EXPECT_EQ(read(plain).values, expected);
  EXPECT_EQ(read(gzip(plain)).values, expected);
  EXPECT_TRUE(fails(first(plain, 2'000'000), {"truncated", "2352800 bytes expected", "[3001,28,28]", "2000000 found"}));
  EXPECT_TRUE(fails(plain + Bytes(3'000'000), {"too long", "2352800 bytes expected", "5352800 found"}));
}

TEST_F(Idx, NamesWhatIsNoFile) {
  const auto absent = folder_ / "absent";
  EXPECT_EQ(test::data_error([&] { read_idx(absent); }), absent.string() + ": cannot open: No such file or directory");
  EXPECT_EQ(test::data_error([&] { read_idx(folder_.path()); }),
            folder_.path().string() + ": is a folder where an IDX file is needed");
}

TEST_F(Idx, NamesEmptyFiles) {
  EXPECT_TRUE(fails({}, {"is empty"}));
  EXPECT_TRUE(fails(gzip({}), {"is empty"}));
}

TEST_F(Idx, NamesWhatIsNotIdx) {
  EXPECT_TRUE(fails({0x89, 'P', 'N', 'G', 13, 10, 26, 10}, {"not an IDX file", "89 50 4e 47"}));
  EXPECT_TRUE(fails(gzip({'<', 'h', 't', 'm', 'l', '>'}), {"not an IDX file", "3c 68 74 6d"}));
  EXPECT_TRUE(fails(idx_header(0x07, {1, 1, 1}) + Bytes(1), {"not an IDX file", "00 00 07 03"}));
}

TEST_F(Idx, NamesOtherElementTypes) {
  EXPECT_TRUE(fails(idx_header(0x0d, {1, 1, 1}) + Bytes(4), {"0x0d (32-bit float)", "0x08 (unsigned byte)"}));
  EXPECT_TRUE(fails(idx_header(0x09, {1}) + Bytes(1), {"0x09 (signed byte)"}));
}

TEST_F(Idx, NamesOtherRanks) {
  EXPECT_TRUE(fails(idx_bytes({}), {"rank 0"}));
  EXPECT_TRUE(fails(idx_bytes({2, 3}), {"rank 2"}));
  EXPECT_TRUE(fails(idx_bytes({1, 1, 1, 1, 1}), {"rank 5"}));
}

TEST_F(Idx, NamesExtentsThatCannotBe) {
  EXPECT_TRUE(fails(idx_header(0x08, {0}), {"[0]", "no elements"}));
  EXPECT_TRUE(fails(idx_header(0x08, {60000, 0, 28}), {"[60000,0,28]", "no elements"}));
  EXPECT_TRUE(fails(idx_header(0x08, {1, 8193, 28}), {"[1,8193,28]", "8193", "8192"}));
  EXPECT_TRUE(fails(idx_header(0x08, {1, 28, 0x80000001}), {"2147483649", "8192"}));
  EXPECT_TRUE(fails(idx_header(0x08, {1, 28, 28, 5}), {"[1,28,28,5]", "5 channels"}));
  EXPECT_TRUE(fails(idx_header(0x08, {0x80000000}), {"2147483648 elements", "2147483647"}));
  EXPECT_TRUE(fails(idx_header(0x08, {0xffffffff, 8192, 8192, 3}), {"864691128253808640 elements"}));
  EXPECT_EQ(read(idx_bytes({1, 8192, 1})).shape, Shape({1, 8192, 1}));
}

TEST_F(Idx, NamesTruncationAtEveryByte) {
  const Bytes plain = idx_bytes({2, 3, 4, 3});
  for (std::size_t size = 1; size < plain.size(); ++size) {
    const int expected = size < 4 ? 4 : size < 20 ? 20 : 92;
    EXPECT_TRUE(fails(first(plain, size),
                      {"truncated", fmt::format("{} bytes expected", expected), fmt::format("{} found", size)}))
        << size;
  }
}

TEST_F(Idx, NamesTruncatedGzipAtEveryByte) {
  const Bytes packed = gzip(idx_bytes({2, 3, 4, 3}));
  for (std::size_t size = 2; size < packed.size(); ++size) {
    EXPECT_TRUE(fails(first(packed, size), {"gzip data is cut off"})) << size << " of " << packed.size();
  }
  EXPECT_TRUE(fails(first(packed, 1), {"truncated", "1 found"}));
}

TEST_F(Idx, NamesWhatIsLeftOver) {
  EXPECT_TRUE(fails(idx_bytes({2, 3, 4}) + Bytes{0}, {"too long", "40 bytes expected for [2,3,4], 41 found"}));
  EXPECT_TRUE(fails(gzip(idx_bytes({2, 3, 4}) + Bytes(5)), {"too long", "40 bytes expected for [2,3,4], 45 found"}));
  EXPECT_TRUE(fails(gzip(idx_bytes({2, 3, 4})) + Bytes{'r', 'e', 's', 't'}, {"damaged gzip data", "header"}));
}

// A flip either is an error or changes nothing: in the fields of gzip's header that say nothing of the data, and in
// the bits that fill the last byte before the checksum.
TEST_F(Idx, FindsEveryFlippedBitOfGzip) {
  const Bytes plain = idx_bytes({2, 2, 3});
  const Bytes expected(plain.begin() + 16, plain.end());
  const Bytes packed = gzip(plain);
  for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
    Bytes damaged = packed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const auto file = test::write_bytes(folder_ / "file", damaged);
    IdxArray array;
    const std::string message = test::data_error([&] { array = read_idx(file); });
    if (message.empty()) {
      EXPECT_TRUE(bit / 8 < 10 || bit / 8 == packed.size() - 9) << "bit " << bit << " went unnoticed";
      EXPECT_EQ(array.values, expected) << "bit " << bit;
    } else {
      EXPECT_NE(message.find(file.string()), std::string::npos) << message;
    }
  }
}

TEST_F(Idx, NamesAFailedChecksum) {
  Bytes packed = gzip(idx_bytes({2, 5, 7}));
  packed[packed.size() - 8] ^= 1;
  EXPECT_TRUE(fails(packed, {"damaged gzip data", "incorrect data check"}));
}

TEST_F(Idx, FindsEveryFlippedBitOfAPlainHeader) {
  const Bytes plain = idx_bytes({2, 5, 7});
  for (std::size_t bit = 0; bit < 16 * 8; ++bit) {
    Bytes damaged = plain;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_TRUE(fails(damaged, {})) << "bit " << bit;
  }
}

// Two gigabytes that the header promises and the file does not hold: asking for them would raise the peak.
TEST_F(Idx, TakesNoMemoryForWhatIsOnlyClaimed) {
  const auto peak_kilobytes = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const Bytes claim = idx_header(0x08, {2'000'000, 32, 32}) + Bytes(100);
  const long before = peak_kilobytes();
  EXPECT_TRUE(fails(claim, {"truncated", "2048000016 bytes expected", "116 found"}));
  EXPECT_TRUE(fails(gzip(claim), {"truncated", "2048000016 bytes expected", "116 found"}));
  EXPECT_LT(peak_kilobytes() - before, 100'000);
}

}  // namespace
}  // namespace duel

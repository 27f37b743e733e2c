// The checksum against published values (RFC 3720, appendix B.4), and in parts.
#include "host/files/crc32c.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace duel {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(Crc32c, HasThePublishedValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xff'))), 0x62A8AB43U);
}

TEST(Crc32c, ContinuesFromAnyPlace) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += static_cast<char>(i * 37 % 251);
  }
  const auto whole = bytes_of(text);
  for (const std::size_t cut : {0, 1, 7, 8, 33, 512, 999, 1000}) {
    EXPECT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), crc32c(whole)) << "cut at " << cut;
  }
}

TEST(Crc32c, ChangesWithEveryBit) {
  std::string text = "the quick brown fox jumps over the lazy dog";
  const std::uint32_t before = crc32c(bytes_of(text));
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    EXPECT_NE(crc32c(bytes_of(text)), before) << "bit " << bit;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
  }
}

}  // namespace
}  // namespace duel

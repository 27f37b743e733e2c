// The table of classes that are taken for one another.
#include "host/data/confusion.h"

#include "host/data/confusion_drawing.h"
#include "host/data/memory_source.h"
#include "host/pictures/decode.h"
#include "host/pictures/svg.h"
#include "kernels/check.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace duel::test {
namespace {

constexpr std::array<std::int32_t, 5> kLabels = {0, 2, 2, 2, 0};
// The second row's two largest are equal: the first of them is called.
constexpr std::array<float, 15> kProbabilities = {0.8F, 0.1F, 0.1F, 0.4F, 0.2F, 0.4F, 0.0F, 0.0F,
                                                  1.0F, 0.1F, 0.7F, 0.2F, 0.1F, 0.6F, 0.3F};

MemorySource labelled() {
  return {"labelled", {{label_field("label", {"shoe", "bag", "a hat"}), bytes_of(kLabels)}}};
}

TEST(Confusion, CountsWhatIsCalledWhat) {
  const MemorySource source = labelled();
  const Confusion confusion = confusion_of(source, "label", kProbabilities);
  EXPECT_EQ(confusion.counts, (std::vector<std::vector<std::int64_t>>{{1, 1, 0}, {0, 0, 0}, {1, 1, 1}}));
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 2.0 / 5);
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(0), 1.0 / 2);
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(1), 0);  // of no row
  EXPECT_DOUBLE_EQ(confusion.accuracy_of(2), 1.0 / 3);
  EXPECT_EQ(to_text(confusion),
            "40.00 % of the pictures are called by their class; rows: the class, columns: what is called\n"
            "             0    1    2   recall  precision\n"
            "  0 shoe     1    1    0   50.0 %     50.0 %\n"
            "  1 bag      0    0    0    0.0 %      0.0 %\n"
            "  2 a hat    1    1    1   33.3 %    100.0 %");
  EXPECT_DOUBLE_EQ(confusion.f1_of(2), 0.5);
  EXPECT_DOUBLE_EQ(confusion.f1_of(1), 0);
}

TEST(Confusion, IsDrawnWithWhatItHolds) {
  Confusion confusion;
  confusion.names = {"shoe & boot", "bag"};
  confusion.counts = {{3, 1}, {0, 77}};
  const std::string svg = draw_confusion(confusion, "2 < 3");
  for (const char* part :
       {">shoe &amp; boot<", ">2 &lt; 3<", ">77<", ">3<", ">75 %<", ">98.8 % are called", ">100 %<"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part << " in " << svg;
  }
  if (!can_decode_photographs()) {
    GTEST_SKIP() << "this build has no libvips, which renders drawings";
  }
  const Picture picture = render_svg(svg);
  EXPECT_EQ(picture.channels, 3);
  const auto darkest = *std::min_element(picture.pixels.begin(), picture.pixels.end());
  EXPECT_LT(darkest, 20);  // dark places and letters on white
  EXPECT_EQ(picture.pixels.front(), 255);
  EXPECT_ERROR(render_svg("<svg"), Error::Kind::data, "the drawing cannot be rendered");
}

TEST(Confusion, AnotherNumberOfProbabilitiesIsAnError) {
  const MemorySource source = labelled();
  EXPECT_THROW(confusion_of(source, "label", std::span(kProbabilities).first(12)), Error);
}

}  // namespace
}  // namespace duel::test

// The parts of `duel evaluate`: which pictures are compared, what is kept of them, figures, and copies that are found.
#include "host/data/memory_source.h"
#include "host/evaluate/figures.h"
#include "host/evaluate/folds.h"
#include "host/evaluate/memorisation.h"
#include "host/evaluate/pixel_extractor.h"
#include "kernels/check.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace duel::test {
namespace {

const Shape kPicture{1, 12, 16, 3};
constexpr std::size_t kBytes = 12 * 16 * 3;

std::vector<std::uint8_t> drawn_pixels(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint8_t> pixels(kBytes);
  std::generate(pixels.begin(), pixels.end(), [&] { return static_cast<std::uint8_t>(random() >> 56); });
  return pixels;
}

std::unique_ptr<const Source> source_of(const std::vector<std::vector<std::uint8_t>>& pictures,
                                        const std::vector<std::int32_t>& labels,
                                        const std::vector<std::string>& names = {"a", "b"}) {
  std::vector<std::uint8_t> pixels;
  for (const auto& picture : pictures) {
    pixels.insert(pixels.end(), picture.begin(), picture.end());
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back({picture_field("picture", 12, 16, 3), std::move(pixels)});
  if (!labels.empty()) {
    columns.push_back({label_field("label", names), bytes_of(std::span(labels))});
  }
  return std::make_unique<MemorySource>("drawn", std::move(columns));
}

// Pictures first, first + 1..; every third is of class b.
std::unique_ptr<const Source> drawn_source(int first, int count) {
  std::vector<std::vector<std::uint8_t>> pictures;
  std::vector<std::int32_t> labels;
  for (int i = first; i < first + count; ++i) {
    pictures.push_back(drawn_pixels(static_cast<std::uint64_t>(i)));
    labels.push_back(i % 3 == 0 ? 1 : 0);
  }
  return source_of(pictures, labels);
}

std::int64_t of_class(const std::vector<SourceRow>& rows, int label) {
  return std::count_if(rows.begin(), rows.end(), [&](const SourceRow& row) { return row.label == label; });
}

// Rows of both, as (source, row), each once.
std::size_t distinct(const Folds& folds) {
  std::set<std::pair<const Source*, std::int64_t>> seen;
  for (const auto* rows : {&folds.reference, &folds.floor}) {
    for (const SourceRow& row : *rows) {
      seen.insert({row.source, row.row});
    }
  }
  return seen.size();
}

TEST(Folds, HeldOutPicturesStandAgainstTrainingPicturesOfTheSameClasses) {
  const auto training = drawn_source(0, 90), held_out = drawn_source(200, 30);
  const Folds folds = plan_folds(*training, held_out.get(), {});
  EXPECT_EQ(folds.fold, "held out");
  EXPECT_EQ(folds.reference.size(), 30U);
  EXPECT_EQ(distinct(folds), 60U);
  EXPECT_TRUE(std::all_of(folds.floor.begin(), folds.floor.end(),
                          [&](const SourceRow& row) { return row.source == training.get(); }));
  EXPECT_EQ(of_class(folds.floor, 1), of_class(folds.reference, 1));
}

TEST(Folds, AreHalvesWhereTheExtractorKnowsTheTrainingPictures) {
  const auto training = drawn_source(0, 90), held_out = drawn_source(200, 31);
  FoldRequest request;
  request.has_extractor_trained = true;
  const Folds folds = plan_folds(*training, held_out.get(), request);
  EXPECT_EQ(folds.reference.size(), 15U);
  EXPECT_EQ(folds.floor.size(), 15U);
  EXPECT_EQ(distinct(folds), 30U);
  for (const SourceRow& row : folds.floor) {
    EXPECT_EQ(row.source, held_out.get());
  }
  EXPECT_LE(std::abs(of_class(folds.floor, 1) - of_class(folds.reference, 1)), 1);
}

TEST(Folds, WithoutHeldOutPicturesAreHalvesOfTheTrainingPictures) {
  const auto training = drawn_source(0, 50);
  FoldRequest request;
  request.most = 10;
  const Folds folds = plan_folds(*training, nullptr, request);
  EXPECT_EQ(folds.fold, "training");
  EXPECT_EQ(folds.reference.size(), 10U);
  EXPECT_EQ(distinct(folds), 20U);
  request.seed = 1;
  const Folds others = plan_folds(*training, nullptr, request);
  EXPECT_NE(folds.reference[0].row, others.reference[0].row);
  request.fold = "held-out";
  EXPECT_THROW(plan_folds(*training, nullptr, request), Error);
  request.fold = "test";
  EXPECT_THROW(plan_folds(*training, nullptr, request), Error);
  EXPECT_THROW(plan_folds(*drawn_source(0, 3), nullptr, {}), Error);
}

TEST(PixelExtractor, TakesMeansOfSquares) {
  std::vector<float> reduced;
  // 3x4 of one channel in squares of 2: the lower ones have one row.
  append_reduced(std::vector<std::uint8_t>{0, 255, 10, 10, 255, 0, 20, 20, 51, 51, 102, 204}, 3, 4, 1, 2, reduced);
  ASSERT_EQ(reduced.size(), 4U);
  EXPECT_FLOAT_EQ(reduced[0], 0.5F);
  EXPECT_FLOAT_EQ(reduced[1], 15 / 255.0F);
  EXPECT_FLOAT_EQ(reduced[2], 0.2F);
  EXPECT_FLOAT_EQ(reduced[3], 0.6F);
  EXPECT_EQ(make_pixel_extractor(kPicture)->facts().width, 6 * 8 * 3);
}

class Measured : public ::testing::Test {
protected:
  MeasuredSet measure(const Source& source) {
    SourcePictures pictures(rows_of(source));
    return measure_set(pictures, *extractor_, form_);
  }

  const std::unique_ptr<Extractor> extractor_ = make_pixel_extractor(kPicture);
  MeasuredForm form_{kPicture, {"a", "b"}, {}};
};

const Figure& named(const std::vector<Figure>& figures, const std::string& key) {
  return *std::find_if(figures.begin(), figures.end(), [&](const Figure& figure) { return figure.key == key; });
}

TEST_F(Measured, EveryPictureCountsOnce) {
  const MeasuredSet set = measure(*drawn_source(0, 150));  // more than two batches
  EXPECT_EQ(set.count, 150);
  EXPECT_EQ(set.moments.count(), 150);
  EXPECT_EQ(set.features.count(), 150);
  EXPECT_EQ(set.reduced.count(), 150);
  EXPECT_EQ(set.reduced.width, static_cast<int>(kBytes));  // smaller than kReducedSide: as they are
  EXPECT_EQ(set.classes[1].count, 50);
  EXPECT_EQ(set.class_moments[1].count(), 50);
  EXPECT_FALSE(set.is_constant);
  EXPECT_TRUE(set.has_labels);
}

TEST_F(Measured, FewPicturesAreSaidToBeTooFew) {
  const MeasuredSet one = measure(*drawn_source(0, 4)), other = measure(*drawn_source(50, 4));
  const std::vector<Figure> figures = figures_of({one, other, one}, form_, 1);
  const Figure& frechet = named(figures, "frechet_distance");
  EXPECT_TRUE(frechet.value);
  EXPECT_NE(frechet.remark.find("4 pictures do not span 144 features; 145 are needed"), std::string::npos)
      << frechet.remark;
  EXPECT_TRUE(named(figures, "kernel_distance").value);
  EXPECT_FALSE(named(figures, "coverage").value);
  EXPECT_NE(named(figures, "coverage").remark.find("6 are needed"), std::string::npos);
  EXPECT_EQ(named(figures, "spread").floor, named(figures, "spread").value);  // the same pictures
  EXPECT_FALSE(class_figures_of({one, other, one}, form_)[0].frechet);
}

TEST_F(Measured, IdenticalPicturesAndASingleClassAreNoted) {
  const MeasuredSet real = measure(*drawn_source(0, 20)), floor = measure(*drawn_source(50, 20));
  const MeasuredSet same =
      measure(*source_of(std::vector<std::vector<std::uint8_t>>(20, drawn_pixels(1)), std::vector<std::int32_t>(20)));
  const MeasuredSets sets{same, real, floor};
  const std::vector<std::string> notes = notes_on(sets, form_);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_NE(notes[0].find("all 20 generated pictures are the same"), std::string::npos);
  EXPECT_NE(notes[1].find("of one class"), std::string::npos);
  const std::vector<Figure> figures = figures_of(sets, form_, 2);
  EXPECT_EQ(named(figures, "spread").value, 0);
  EXPECT_EQ(named(figures, "precision").value, 1);  // it is one of the real pictures
  EXPECT_LT(*named(figures, "coverage").value, 0.5);
  EXPECT_NEAR(*named(figures, "ms_ssim").value, 1, 1e-12);
  EXPECT_LT(*named(figures, "ms_ssim").floor, 0.9);
  EXPECT_TRUE(notes_on({floor, real, floor}, form_).empty());
}

TEST_F(Measured, CopiesOfTrainingPicturesAreFound) {
  const auto training = drawn_source(0, 40), held_out = drawn_source(100, 20);
  std::vector<std::vector<std::uint8_t>> pictures;
  for (int i = 0; i < 10; ++i) {
    pictures.push_back(drawn_pixels(static_cast<std::uint64_t>(500 + i)));
  }
  pictures[3] = drawn_pixels(7);
  std::vector<std::uint8_t>& mirrored = pictures[8];  // of picture 21
  const std::vector<std::uint8_t> upright = drawn_pixels(21);
  for (std::size_t i = 0; i < kBytes; ++i) {
    const std::size_t row = i / 48, x = i / 3 % 16;
    mirrored[row * 48 + (15 - x) * 3 + i % 3] = upright[i];
  }
  mirrored[5] = static_cast<std::uint8_t>(mirrored[5] ^ 2);
  const auto generated = source_of(pictures, {});
  SourcePictures set(rows_of(*generated));
  const MeasuredSet measured = measure(*generated);
  const Memorisation found = measure_memorisation(set, measured, *training, held_out.get(), kPicture, 2);
  EXPECT_EQ(found.generated, 10);
  EXPECT_EQ(found.real, 20);
  EXPECT_NEAR(found.ratio, 1, 0.05);
  EXPECT_NEAR(found.share_near, 0.2, 0.11);
  ASSERT_EQ(found.closest.size(), 10U);
  EXPECT_EQ(found.closest[0].generated, 3);
  EXPECT_EQ(found.closest[0].training, 7);
  EXPECT_EQ(found.closest[0].distance, 0);
  EXPECT_TRUE(std::isinf(found.closest[0].psnr));
  EXPECT_FALSE(found.closest[0].is_mirrored);
  EXPECT_EQ(found.closest[1].generated, 8);
  EXPECT_EQ(found.closest[1].training, 21);
  EXPECT_TRUE(found.closest[1].is_mirrored);
  EXPECT_NEAR(found.closest[1].distance, 2 / std::sqrt(576.0), 1e-4);
  EXPECT_GT(found.closest[2].distance, 50);
  const Picture sheet = pair_sheet(found.closest, set, *training, kPicture);
  EXPECT_GT(sheet.width, 8 * 16);
}

// To it a picture and the same in inverted colours are alike.
class InvertedToo : public Extractor {
public:
  InvertedToo() { facts_.width = 2; }
  const ExtractorFacts& facts() const override { return facts_; }
  Extraction extract(std::span<const std::uint8_t> pictures, std::int64_t count) override {
    Extraction result;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::span<const std::uint8_t> picture = pictures.subspan(static_cast<std::size_t>(i) * kBytes, kBytes);
      result.features.push_back(std::abs(static_cast<float>(picture[0]) - 127.5F));
      result.features.push_back(std::abs(static_cast<float>(picture[kBytes / 2]) - 127.5F));
    }
    return result;
  }

private:
  ExtractorFacts facts_;
};

TEST_F(Measured, CopiesAreFoundByFeaturesToo) {
  const auto training = drawn_source(0, 40), held_out = drawn_source(100, 20);
  std::vector<std::vector<std::uint8_t>> pictures;
  for (int i = 0; i < 10; ++i) {
    pictures.push_back(drawn_pixels(static_cast<std::uint64_t>(500 + i)));
  }
  pictures[6] = drawn_pixels(31);
  for (std::uint8_t& pixel : pictures[6]) {
    pixel = static_cast<std::uint8_t>(255 - pixel);
  }
  const auto generated = source_of(pictures, {});
  SourcePictures set(rows_of(*generated));
  InvertedToo extractor;
  SourcePictures again(rows_of(*generated));
  const MeasuredSet measured = measure_set(again, extractor, form_);
  const Memorisation found =
      measure_memorisation_by_features(set, measured, extractor, *training, held_out.get(), kPicture, 2);
  EXPECT_EQ(found.generated, 10);
  EXPECT_EQ(found.real, 20);
  EXPECT_EQ(found.training, 40);
  ASSERT_EQ(found.closest.size(), 10U);
  EXPECT_EQ(found.closest[0].generated, 6);
  EXPECT_EQ(found.closest[0].training, 31);
  EXPECT_EQ(found.closest[0].distance, 0);
  EXPECT_LT(found.closest[0].psnr, 10);  // by pixels it is none
  EXPECT_FALSE(found.closest[0].is_mirrored);
  const Memorisation by_pixels = measure_memorisation(set, measured, *training, held_out.get(), kPicture, 2);
  EXPECT_GT(by_pixels.closest[0].distance, 50);
  // Where nothing is held out each training picture is searched among the others.
  const Memorisation alone =
      measure_memorisation_by_features(set, measured, extractor, *training, nullptr, kPicture, 1);
  EXPECT_EQ(alone.real, 40);
  EXPECT_GT(alone.real_median, 0);
}

TEST_F(Measured, WithoutHeldOutPicturesTrainingPicturesAreSearchedAmongTheOthers) {
  const auto training = drawn_source(0, 40);
  SourcePictures set(rows_of(*training));
  const Memorisation found = measure_memorisation(set, measure(*training), *training, nullptr, kPicture, 1);
  EXPECT_EQ(found.median, 0);  // every generated picture is a training picture
  EXPECT_GT(found.real_median, 50);
  EXPECT_EQ(found.ratio, 0);
  EXPECT_EQ(found.share_near, 1);
}

}  // namespace
}  // namespace duel::test

#include "host/evaluate/memorisation.h"

#include "host/data/photograph_source.h"
#include "host/evaluate/pixel_extractor.h"
#include "host/metrics/distances.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/sample_grid.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace duel {

namespace {

constexpr std::int64_t kBlock = 1024;         // training pictures that are searched at once
constexpr std::int64_t kPicturesAtOnce = 64;  // that go through an extractor at once

// Rows of squares [rows, columns, channels] from right to left.
Features mirrored(const Features& features, int columns, int channels) {
  Features result = features;
  const std::size_t row = static_cast<std::size_t>(columns) * channels;
  for (std::size_t begin = 0; begin < result.values.size(); begin += row) {
    for (int x = 0; x < columns; ++x) {
      std::copy_n(features.values.begin() + static_cast<std::ptrdiff_t>(begin) + (columns - 1 - x) * channels, channels,
                  result.values.begin() + static_cast<std::ptrdiff_t>(begin) + x * channels);
    }
  }
  return result;
}

Picture mirrored(const Picture& picture) {
  Picture result = picture;
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      std::copy_n(picture.pixels.begin() + (y * picture.width + picture.width - 1 - x) * picture.channels,
                  picture.channels, result.pixels.begin() + (y * picture.width + x) * picture.channels);
    }
  }
  return result;
}

Picture picture_of(const Source& source, std::int64_t row, const Shape& shape) {
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  source.read(row, field_index(source, "picture"), std::as_writable_bytes(std::span(picture.pixels)).data());
  return picture;
}

Picture picture_of(PictureSet& set, std::int64_t i, const Shape& shape) {
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  set.read(i, 1, picture.pixels);
  return picture;
}

class Reduction {
public:
  explicit Reduction(const Shape& picture)
      : picture_(picture), side_(reducing_side(picture[1], picture[2], kReducedSide)) {}

  Features rows(const Source& source, std::int64_t first, std::int64_t count) const {
    Features reduced;
    for (std::int64_t row = first; row < first + count; ++row) {
      append_reduced(picture_of(source, row, picture_).pixels, picture_[1], picture_[2], picture_[3], side_,
                     reduced.values);
    }
    reduced.width = static_cast<int>(std::ssize(reduced.values) / count);
    return reduced;
  }
  Features mirrored_rows(const Features& features) const {
    return mirrored(features, (picture_[2] + side_ - 1) / side_, picture_[3]);
  }

private:
  Shape picture_;
  int side_;
};

// Some pictures, and the same mirrored: a mirrored training picture is as far from a picture as it from the mirrored.
struct Search {
  Search(const Features& queries, const Reduction& reduction, std::span<const double> centre, int threads,
         bool is_itself_searched)
      : upright(queries, centre, threads),
        turned(reduction.mirrored_rows(queries), centre, threads),
        excludes(is_itself_searched) {}

  void add(const Features& rows, std::int64_t first) {
    upright.add(rows, first, excludes);
    turned.add(rows, first, excludes);
  }

  NearestRows upright, turned;
  bool excludes;
};

std::vector<double> distances_of(const Search& search, int width) {
  std::vector<double> distances;
  for (std::size_t i = 0; i < search.upright.nearest().size(); ++i) {
    const double squared = std::min(search.upright.nearest()[i].squared, search.turned.nearest()[i].squared);
    distances.push_back(255 * std::sqrt(squared / width));
  }
  return distances;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (std::ssize(values) % 2 == 1) {
    return *middle;
  }
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double share_below(const std::vector<double>& values, double limit) {
  const auto below = std::count_if(values.begin(), values.end(), [&](double value) { return value < limit; });
  return static_cast<double>(below) / static_cast<double>(values.size());
}

std::string file_of(const Source& training, std::int64_t row) {
  const auto* photographs = dynamic_cast<const PhotographSource*>(&training.base());
  return photographs == nullptr
             ? ""
             : photographs->set().folder.pictures[photographs->set().training[static_cast<std::size_t>(row)]].file;
}

// What the distances say, of generated pictures and of real ones, but for the pairs.
Memorisation summary_of(const std::vector<double>& distances, const std::vector<double>& real_distances,
                        const Source& training, const Source* held_out) {
  Memorisation result;
  result.generated = std::ssize(distances);
  result.real = std::ssize(real_distances);
  result.training = training.count();
  result.real_text = held_out != nullptr ? "held-out pictures" : "training pictures, each from the others";
  result.median = median(distances);
  result.real_median = median(real_distances);
  result.ratio = result.real_median == 0 ? 0 : result.median / result.real_median;
  std::vector<double> sorted = real_distances;
  std::sort(sorted.begin(), sorted.end());
  const double near = sorted[sorted.size() / 100];
  result.share_near = share_below(distances, near);
  result.real_share_near = share_below(real_distances, near);
  return result;
}

// The places of the least distances, at most kClosestPairs, the least first.
std::vector<std::size_t> closest_of(const std::vector<double>& distances) {
  std::vector<std::size_t> order(distances.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return distances[a] < distances[b]; });
  order.resize(std::min(order.size(), kClosestPairs));
  return order;
}

// Fills in what the two pictures of a pair say.
void compare(MemorisedPair& pair, PictureSet& generated, const Source& training, const Shape& picture) {
  const Picture its = picture_of(generated, pair.generated, picture);
  Picture other = picture_of(training, pair.training, picture);
  other = pair.is_mirrored ? mirrored(other) : other;
  pair.psnr = psnr(its, other);
  pair.ssim = ms_ssim_scales(its.height, its.width) > 0 ? ssim(its, other) : 0;
  pair.file = file_of(training, pair.training);
}

Features features_of(const Source& source, std::int64_t first, std::int64_t count, Extractor& extractor,
                     const Shape& picture) {
  const std::size_t field = field_index(source, "picture");
  const auto bytes = static_cast<std::size_t>(picture.count());
  Features features{extractor.facts().width, {}};
  for (std::int64_t begin = first; begin < first + count; begin += kPicturesAtOnce) {
    const std::int64_t rows = std::min(first + count - begin, kPicturesAtOnce);
    std::vector<std::uint8_t> batch(static_cast<std::size_t>(rows) * bytes);
    for (std::int64_t row = 0; row < rows; ++row) {
      source.read(begin + row, field,
                  std::as_writable_bytes(std::span(batch)).data() + static_cast<std::size_t>(row) * bytes);
    }
    const std::vector<float> made = extractor.extract(batch, rows).features;
    features.values.insert(features.values.end(), made.begin(), made.end());
  }
  return features;
}

std::vector<double> distances_of(const NearestRows& search) {
  std::vector<double> distances;
  for (const NearestRows::Nearest& each : search.nearest()) {
    distances.push_back(std::sqrt(each.squared));
  }
  return distances;
}

}  // namespace

Memorisation measure_memorisation(PictureSet& generated, const MeasuredSet& set, const Source& training,
                                  const Source* held_out, const Shape& picture, int threads) {
  const Reduction reduction(picture);
  const Source& real = held_out != nullptr ? *held_out : training;
  const Features real_rows = reduction.rows(real, 0, std::min(real.count(), kKeptReduced));
  const std::vector<double> centre = mean_row(real_rows);
  Search of_generated(set.reduced, reduction, centre, threads, false);
  Search of_real(real_rows, reduction, centre, threads, held_out == nullptr);
  for (std::int64_t first = 0; first < training.count(); first += kBlock) {
    const Features rows = reduction.rows(training, first, std::min(training.count() - first, kBlock));
    of_generated.add(rows, first);
    of_real.add(rows, first);
  }
  const std::vector<double> distances = distances_of(of_generated, set.reduced.width);
  Memorisation result = summary_of(distances, distances_of(of_real, set.reduced.width), training, held_out);
  for (const std::size_t i : closest_of(distances)) {
    const NearestRows::Nearest& upright = of_generated.upright.nearest()[i];
    const NearestRows::Nearest& turned = of_generated.turned.nearest()[i];
    MemorisedPair pair;
    pair.is_mirrored = turned.squared < upright.squared;
    pair.generated = static_cast<std::int64_t>(i);
    pair.training = pair.is_mirrored ? turned.row : upright.row;
    pair.distance = distances[i];
    compare(pair, generated, training, picture);
    result.closest.push_back(pair);
  }
  return result;
}

Memorisation measure_memorisation_by_features(PictureSet& generated, const MeasuredSet& set, Extractor& extractor,
                                              const Source& training, const Source* held_out, const Shape& picture,
                                              int threads) {
  const Source& real = held_out != nullptr ? *held_out : training;
  const Features real_rows = features_of(real, 0, std::min(real.count(), kKeptReduced), extractor, picture);
  Features queries{set.features.width, set.features.values};
  queries.values.resize(static_cast<std::size_t>(std::min(set.features.count(), kKeptReduced) * queries.width));
  const std::vector<double> centre = mean_row(real_rows);
  NearestRows of_generated(queries, centre, threads), of_real(real_rows, centre, threads);
  for (std::int64_t first = 0; first < training.count(); first += kBlock) {
    const Features rows = features_of(training, first, std::min(training.count() - first, kBlock), extractor, picture);
    of_generated.add(rows, first);
    of_real.add(rows, first, held_out == nullptr);
  }
  const std::vector<double> distances = distances_of(of_generated);
  Memorisation result = summary_of(distances, distances_of(of_real), training, held_out);
  for (const std::size_t i : closest_of(distances)) {
    MemorisedPair pair;
    pair.generated = static_cast<std::int64_t>(i);
    pair.training = of_generated.nearest()[i].row;
    pair.distance = distances[i];
    compare(pair, generated, training, picture);
    result.closest.push_back(pair);
  }
  return result;
}

Picture pair_sheet(std::span<const MemorisedPair> pairs, PictureSet& generated, const Source& training,
                   const Shape& picture) {
  std::vector<float> values;
  const auto add = [&](const Picture& each) {
    for (const std::uint8_t pixel : each.pixels) {
      values.push_back(static_cast<float>(pixel) / 127.5F - 1);
    }
  };
  for (const MemorisedPair& pair : pairs) {
    add(picture_of(generated, pair.generated, picture));
    const Picture other = picture_of(training, pair.training, picture);
    add(pair.is_mirrored ? mirrored(other) : other);
  }
  constexpr int kColumns = 8;  // four pairs
  const int count = static_cast<int>(2 * pairs.size());
  return sample_grid(values, count, picture[1], picture[2], picture[3], (count + kColumns - 1) / kColumns, kColumns);
}

}  // namespace duel

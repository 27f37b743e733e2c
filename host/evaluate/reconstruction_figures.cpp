#include "host/evaluate/reconstruction_figures.h"

#include "host/data/in_parallel.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>

namespace duel {

namespace {

// Sums over pairs of pictures.
class Similarity {
public:
  explicit Similarity(const Shape& picture) : scales_(ms_ssim_scales(picture[1], picture[2])) {}

  void add(const std::vector<Picture>& these, const std::vector<Picture>& others, int threads) {
    std::vector<std::array<double, 3>> of_pairs(these.size());
    in_parallel(threads, std::ssize(these), [&](std::int64_t i) {
      const Picture& a = these[static_cast<std::size_t>(i)];
      const Picture& b = others[static_cast<std::size_t>(i)];
      double squares = 0;
      for (std::size_t at = 0; at < a.pixels.size(); ++at) {
        const double difference = static_cast<double>(a.pixels[at]) - b.pixels[at];
        squares += difference * difference;
      }
      of_pairs[static_cast<std::size_t>(i)] = {squares / static_cast<double>(a.pixels.size()),
                                               scales_ > 0 ? ssim(a, b) : 0, scales_ > 0 ? ms_ssim(a, b, scales_) : 0};
    });
    for (const std::array<double, 3>& each : of_pairs) {
      squared_error_ += each[0];
      ssim_ += each[1];
      ms_ssim_ += each[2];
    }
    count_ += std::ssize(these);
  }

  std::int64_t count() const { return count_; }
  int scales() const { return scales_; }
  // Of the mean squared error of all, so that one perfect pair does not make it infinite.
  double psnr() const {
    const double error = squared_error_ / static_cast<double>(count_);
    return error == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(255.0 * 255.0 / error);
  }
  double mean_ssim() const { return ssim_ / static_cast<double>(count_); }
  double mean_ms_ssim() const { return ms_ssim_ / static_cast<double>(count_); }

private:
  int scales_;
  std::int64_t count_ = 0;
  double squared_error_ = 0, ssim_ = 0, ms_ssim_ = 0;
};

std::vector<Picture> pictures_of(std::span<const std::uint8_t> bytes, const Shape& shape) {
  std::vector<Picture> pictures;
  const auto size = static_cast<std::size_t>(shape.count());
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const std::span<const std::uint8_t> its = bytes.subspan(at, size);
    pictures.push_back({shape[1], shape[2], shape[3], {its.begin(), its.end()}});
  }
  return pictures;
}

std::vector<Picture> pictures_of(std::span<const float> values, const Shape& shape) {
  std::vector<Picture> pictures;
  const auto size = static_cast<std::size_t>(shape.count());
  for (std::size_t at = 0; at < values.size(); at += size) {
    pictures.push_back(to_picture(values.subspan(at, size), shape[1], shape[2], shape[3]));
  }
  return pictures;
}

}  // namespace

std::vector<Figure> reconstruction_figures(Context& context, const MeasuredRun& run, const Shape& picture,
                                           int threads) {
  if (!run.recipe.reconstruction()) {
    return {};
  }
  std::optional<LoadedSampling> loaded;
  read_checkpoint_of(run.run, run.step, [&](const std::filesystem::path& checkpoint) {
    loaded.emplace(context, run.run, checkpoint, 0, [](const Recipe& recipe) { return *recipe.reconstruction(); });
  });
  RowSampler sampler(context, loaded->model(), Parameters::Block::average);
  Similarity made(picture), floor(picture);
  const std::int64_t all = std::min({run.reference.count(), run.floor.count(), kReconstructed});
  for (std::int64_t first = 0; first < all; first += Sampler::kBatch) {
    const std::int64_t count = std::min<std::int64_t>(all - first, Sampler::kBatch);
    std::vector<std::uint8_t> real(static_cast<std::size_t>(count * picture.count())), other(real.size());
    run.reference.read(first, count, real);
    run.floor.read(first, count, other);
    const std::array given = {std::as_bytes(std::span<const std::uint8_t>(real))};
    const std::vector<float> again = sampler.run(context, given)[0];
    made.add(pictures_of(std::span<const std::uint8_t>(real), picture),
             pictures_of(std::span<const float>(again), picture), threads);
    floor.add(pictures_of(std::span<const std::uint8_t>(real), picture),
              pictures_of(std::span<const std::uint8_t>(other), picture), threads);
  }
  const auto figure = [](const char* key, const char* name, double value, double of_floor, std::string remark) {
    return Figure{key, name, "higher", value, {}, of_floor, {}, std::move(remark)};
  };
  std::vector<Figure> figures = {
      figure("reconstruction_psnr", "PSNR, made again", made.psnr(), floor.psnr(),
             fmt::format("dB, of {} of the reference; floor: another real picture", made.count()))};
  if (made.scales() > 0) {
    figures.push_back(figure("reconstruction_ssim", "SSIM, made again", made.mean_ssim(), floor.mean_ssim(),
                             "mean over them; 1: the same"));
    figures.push_back(figure("reconstruction_ms_ssim", "MS-SSIM, made again", made.mean_ms_ssim(), floor.mean_ms_ssim(),
                             fmt::format("{} scale{}", made.scales(), made.scales() == 1 ? "" : "s")));
  }
  return figures;
}

}  // namespace duel

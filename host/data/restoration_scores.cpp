#include "host/data/restoration_scores.h"

#include "host/data/in_parallel.h"
#include "host/data/input_source.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/degrade.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace duel {

namespace {

Picture read_picture(const Source& source, const std::string& field, std::int64_t row) {
  const Shape& shape = field_named(source, field).shape;
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  source.read(row, field_index(source, field), std::as_writable_bytes(std::span(picture.pixels)).data());
  return picture;
}

bool has_window(const Picture& picture) {
  return std::min(picture.height, picture.width) >= kSsimWindow;
}

// Opacity below all colours of the truth says where pixels are missing.
bool lacks_pixels(const Picture& input, const Picture& truth) {
  return input.channels == truth.channels + 1;
}

double missing_psnr(const Picture& truth, const Picture& input, const Picture& made) {
  double squares = 0;
  std::int64_t count = 0;
  const int colours = truth.channels;
  for (std::size_t pixel = 0; pixel < input.pixels.size() / input.channels; ++pixel) {
    if (input.pixels[pixel * input.channels + colours] != 255) {
      for (int c = 0; c < colours; ++c) {
        const double difference =
            static_cast<double>(truth.pixels[pixel * colours + c]) - made.pixels[pixel * colours + c];
        squares += difference * difference;
      }
      count += colours;
    }
  }
  return squares == 0 ? kMostPsnr
                      : std::min(kMostPsnr, 10 * std::log10(255.0 * 255.0 * static_cast<double>(count) / squares));
}

PictureScore score(const Picture& truth, const Picture& input, const Picture& made) {
  PictureScore result;
  result.psnr = std::min(kMostPsnr, psnr(truth, made));
  result.ssim = has_window(truth) ? ssim(truth, made) : 0;
  result.missing = lacks_pixels(input, truth) ? missing_psnr(truth, input, made) : 0;
  return result;
}

PictureScore mean_of(const std::vector<PictureScore>& scores) {
  PictureScore mean;
  const auto count = static_cast<double>(scores.size());
  for (const PictureScore& each : scores) {
    mean.psnr += each.psnr / count;
    mean.ssim += each.ssim / count;
    mean.missing += each.missing / count;
  }
  return mean;
}

std::string line(const char* name, const PictureScore& score, const RestorationScores& all) {
  return fmt::format("{:<10}{:.2f} dB{}{}", name, score.psnr,
                     all.has_ssim ? fmt::format(", SSIM {:.4f}", score.ssim) : "",
                     all.has_missing ? fmt::format(", {:.2f} dB where pixels are missing", score.missing) : "");
}

}  // namespace

PictureScore score_picture(const Source& source, std::int64_t row, const Picture& made) {
  return score(read_picture(source, "picture", row), read_picture(source, kInputField, row), made);
}

RestorationScores restoration_scores(const Source& source, const std::vector<PictureScore>& made, int threads) {
  check(std::ssize(made) == source.count(), "restoration: {} scores of {} rows", made.size(), source.count());
  std::vector<PictureScore> given(made.size());
  const Shape truth = picture_shape(source);
  in_parallel(threads, source.count(), [&](std::int64_t row) {
    const Picture input = read_picture(source, kInputField, row);
    given[static_cast<std::size_t>(row)] =
        score(read_picture(source, "picture", row), input, shown_degraded(input, truth[1], truth[2], truth[3]));
  });
  RestorationScores scores;
  scores.rows = source.count();
  scores.made = mean_of(made);
  scores.given = mean_of(given);
  scores.has_ssim = std::min(truth[1], truth[2]) >= kSsimWindow;
  scores.has_missing = field_named(source, kInputField).shape[3] == truth[3] + 1;
  for (std::size_t i = 0; i < made.size(); ++i) {
    const bool is_better = scores.has_ssim ? made[i].ssim > given[i].ssim : made[i].psnr > given[i].psnr;
    scores.better += is_better ? 1 / static_cast<double>(made.size()) : 0;
  }
  return scores;
}

std::string to_text(const RestorationScores& scores) {
  return line("restored", scores.made, scores) +
         fmt::format("; better by {} in {:.1f} % of {} pictures\n", scores.has_ssim ? "SSIM" : "PSNR",
                     100 * scores.better, scores.rows) +
         line("as given", scores.given, scores);
}

}  // namespace duel

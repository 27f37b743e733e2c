#include "host/data/restoration_scores.h"

#include "host/data/degraded_source.h"
#include "host/data/in_parallel.h"
#include "host/data/input_source.h"
#include "host/metrics/colourfulness.h"
#include "host/metrics/picture_similarity.h"
#include "host/pictures/degrade.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
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
  if (count == 0) {
    return 0;
  }
  return squares == 0 ? kMostPsnr
                      : std::min(kMostPsnr, 10 * std::log10(255.0 * 255.0 * static_cast<double>(count) / squares));
}

bool lacks_colour(int input_channels, int true_channels) {
  return input_channels == 1 && true_channels == 3;
}

PictureScore score(const Picture& truth, const Picture& input, const Picture& made) {
  PictureScore result;
  result.psnr = std::min(kMostPsnr, psnr(truth, made));
  result.ssim = has_window(truth) ? ssim(truth, made) : 0;
  result.missing = lacks_pixels(input, truth) ? missing_psnr(truth, input, made) : 0;
  result.colour = lacks_colour(input.channels, truth.channels) ? colourfulness(made) : 0;
  return result;
}

std::string line(const char* name, const PictureScore& score, const RestorationScores& all) {
  std::string text = fmt::format("{:<10}{:.2f} dB", name, score.psnr);
  text += all.has_ssim ? fmt::format(", SSIM {:.4f}", score.ssim) : "";
  text += all.has_missing ? fmt::format(", {:.2f} dB where pixels are missing", score.missing) : "";
  text += all.has_colour ? fmt::format(", {:.0f} % as colourful", 100 * all.colour_share(score)) : "";
  return text;
}

std::vector<std::size_t> jobs_of(const Source& source) {
  const std::size_t field = field_index(source, kJobField);
  std::vector<std::size_t> jobs;
  for (std::int64_t row = 0; row < source.count(); ++row) {
    std::int32_t job = 0;
    source.read(row, field, std::as_writable_bytes(std::span(&job, 1)).data());
    jobs.push_back(static_cast<std::size_t>(job));
  }
  return jobs;
}

std::vector<JobScores> scores_by_job(const Source& source, const std::vector<PictureScore>& made,
                                     const std::vector<PictureScore>& given) {
  const std::vector<std::size_t> jobs = jobs_of(source);
  const std::vector<std::string>& names = field_named(source, kJobField).names;
  std::vector<JobScores> scores;
  for (std::size_t job = 0; job < names.size(); ++job) {
    std::vector<PictureScore> its_made, its_given;
    for (std::size_t row = 0; row < jobs.size(); ++row) {
      if (jobs[row] == job) {
        its_made.push_back(made[row]);
        its_given.push_back(given[row]);
      }
    }
    if (!its_made.empty()) {
      scores.push_back({names[job], std::ssize(its_made), mean_of(its_made), mean_of(its_given)});
    }
  }
  return scores;
}

}  // namespace

std::vector<float> to_floats(const PictureScore& score) {
  return {static_cast<float>(score.psnr), static_cast<float>(score.ssim), static_cast<float>(score.missing),
          static_cast<float>(score.colour)};
}

std::vector<PictureScore> from_floats(std::span<const float> numbers) {
  std::vector<PictureScore> scores;
  for (std::size_t i = 0; i + kScores <= numbers.size(); i += kScores) {
    scores.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]});
  }
  return scores;
}

PictureScore mean_of(const std::vector<PictureScore>& scores) {
  PictureScore mean;
  const auto count = static_cast<double>(scores.size());
  const auto lacking = static_cast<double>(
      std::count_if(scores.begin(), scores.end(), [](const PictureScore& each) { return each.missing > 0; }));
  for (const PictureScore& each : scores) {
    mean.psnr += each.psnr / count;
    mean.ssim += each.ssim / count;
    mean.missing += each.missing > 0 ? each.missing / lacking : 0;
    mean.colour += each.colour / count;
  }
  return mean;
}

PictureScore score_picture(const Source& source, std::int64_t row, const Picture& made) {
  return score(read_picture(source, "picture", row), read_picture(source, kInputField, row), made);
}

RestorationScores restoration_scores(const Source& source, const std::vector<PictureScore>& made, int threads) {
  check(std::ssize(made) == source.count(), "restoration: {} scores of {} rows", made.size(), source.count());
  std::vector<PictureScore> given(made.size());
  std::vector<double> colours(made.size());
  const Shape truth = picture_shape(source);
  const bool has_colour = lacks_colour(field_named(source, kInputField).shape[3], truth[3]);
  in_parallel(threads, source.count(), [&](std::int64_t row) {
    const Picture input = read_picture(source, kInputField, row), picture = read_picture(source, "picture", row);
    given[static_cast<std::size_t>(row)] = score(picture, input, shown_degraded(input, truth[1], truth[2], truth[3]));
    colours[static_cast<std::size_t>(row)] = has_colour ? colourfulness(picture) : 0;
  });
  RestorationScores scores;
  scores.rows = source.count();
  scores.made = mean_of(made);
  scores.given = mean_of(given);
  scores.has_ssim = std::min(truth[1], truth[2]) >= kSsimWindow;
  scores.has_missing =
      std::any_of(given.begin(), given.end(), [](const PictureScore& each) { return each.missing > 0; });
  scores.has_colour = has_colour;
  scores.true_colour = std::accumulate(colours.begin(), colours.end(), 0.0) / static_cast<double>(made.size());
  for (std::size_t i = 0; i < made.size(); ++i) {
    const bool is_better = scores.has_ssim ? made[i].ssim > given[i].ssim : made[i].psnr > given[i].psnr;
    scores.better += is_better ? 1 / static_cast<double>(made.size()) : 0;
  }
  if (has_field(source, kJobField)) {
    scores.jobs = scores_by_job(source, made, given);
  }
  return scores;
}

std::string to_text(const RestorationScores& scores) {
  std::string text = line("restored", scores.made, scores) +
                     fmt::format("; better by {} in {:.1f} % of {} pictures\n", scores.has_ssim ? "SSIM" : "PSNR",
                                 100 * scores.better, scores.rows) +
                     line("as given", scores.given, scores);
  for (const JobScores& job : scores.jobs) {
    text += fmt::format("\n{:<10}{:.2f} to {:.2f} dB", job.job, job.given.psnr, job.made.psnr);
    if (scores.has_ssim) {
      text += fmt::format(", SSIM {:.4f} to {:.4f}", job.given.ssim, job.made.ssim);
    }
    text += fmt::format(", of {} pictures", job.rows);
  }
  return text;
}

}  // namespace duel

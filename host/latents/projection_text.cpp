#include "host/latents/projection_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

struct Moments {
  double mean = 0, squared_error = 0;  // of the mean
  std::size_t count = 0;
};

Moments moments_of(const std::vector<ProjectedPicture>& pictures, const std::string& fold) {
  std::vector<double> values;
  for (const ProjectedPicture& each : pictures) {
    if (each.fold == fold && std::isfinite(each.starts.front().psnr)) {
      values.push_back(each.starts.front().psnr);
    }
  }
  Moments moments;
  moments.count = values.size();
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    moments.mean += value / count;
  }
  for (const double value : values) {
    moments.squared_error += (value - moments.mean) * (value - moments.mean) / (count * (count - 1));
  }
  return moments;
}

std::string optional_decibels(const std::optional<double>& psnr) {
  return !psnr ? "-" : std::isinf(*psnr) ? "same" : fmt::format("{:.2f}", *psnr);
}

}  // namespace

std::string compare_folds(const std::vector<ProjectedPicture>& pictures) {
  const Moments training = moments_of(pictures, "training"), held_out = moments_of(pictures, "held out");
  if (training.count < 2 || held_out.count < 2) {
    return "";
  }
  const double gap = training.mean - held_out.mean;
  const double error = 2 * std::sqrt(training.squared_error + held_out.squared_error);
  const char* verdict = gap > error    ? "the generator knows what it was trained on better, a sign of memorisation"
                        : gap < -error ? "the held-out ones are easier, so nothing speaks of memorisation"
                                       : "which is no difference that so few pictures can show";
  return fmt::format(
      "{} training pictures are found again with {:.2f} dB on average and {} held-out ones with {:.2f} dB: {:.2f} +- "
      "{:.2f} dB (two standard errors), {}",
      training.count, training.mean, held_out.count, held_out.mean, gap, error, verdict);
}

std::string to_text(const Projection& projection) {
  std::string text =
      fmt::format("{}, step {}, weights {}: a latent is one vector of {} numbers, the same for all layers\n",
                  projection.run, projection.step, projection.weights, projection.latent);
  text += fmt::format("compared by pixels{}\n\n",
                      projection.features.empty() ? "" : " and the features of " + projection.features);
  std::size_t longest = 7;
  for (const ProjectedPicture& each : projection.pictures) {
    longest = std::max(longest, each.file.size());
  }
  text += fmt::format("{:<{}}  {:<8}  {:>6}  {:>6}  {:>6}  {:>8}  {:>6}  {}\n", "PSNR in dB", longest, "fold", "found",
                      "median", "worst", "nearest", "mean",
                      projection.pictures.front().starts.front().class_name.empty() ? "" : "class");
  for (const ProjectedPicture& each : projection.pictures) {
    std::vector<double> all;
    for (const ProjectionStart& start : each.starts) {
      all.push_back(start.psnr);
    }
    std::sort(all.begin(), all.end());
    const auto nearest = each.nearest.empty() ? std::nullopt : std::optional(each.nearest.front().psnr);
    text += fmt::format("{:<{}}  {:<8}  {:>6}  {:>6.2f}  {:>6.2f}  {:>8}  {:>6}  {}\n", each.file, longest,
                        each.fold.empty() ? "-" : each.fold, optional_decibels(each.starts.front().psnr),
                        all[all.size() / 2], all.front(), optional_decibels(nearest), optional_decibels(each.mean_psnr),
                        each.starts.front().class_name);
  }
  text += "\nfound: the start with the least loss; median, worst: of all starts; nearest: another training picture\n";
  if (!projection.comparison.empty()) {
    text += fmt::format("\nmemorisation: {}\n", projection.comparison);
  }
  for (const std::string& note : projection.notes) {
    text += fmt::format("note: {}\n", note);
  }
  return text;
}

}  // namespace duel

#include "host/explain/integrated_gradients.h"

#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

// Along one axis of [outer,length,inner]; what lies beyond the border is the border.
std::vector<float> blurred_along(std::span<const float> x, int length, int inner, double sigma) {
  const int reach = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> weights;
  double total = 0;
  for (int offset = -reach; offset <= reach; ++offset) {
    weights.push_back(std::exp(-0.5 * offset * offset / (sigma * sigma)));
    total += weights.back();
  }
  std::vector<float> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int place = static_cast<int>(i / static_cast<std::size_t>(inner)) % length;
    double sum = 0;
    for (int offset = -reach; offset <= reach; ++offset) {
      const int from = std::clamp(place + offset, 0, length - 1);
      const std::ptrdiff_t moved = static_cast<std::ptrdiff_t>(i) + std::ptrdiff_t{from - place} * inner;
      sum +=
          weights[static_cast<std::size_t>(offset + reach)] * static_cast<double>(x[static_cast<std::size_t>(moved)]);
    }
    y[i] = static_cast<float>(sum / total);
  }
  return y;
}

}  // namespace

std::vector<float> baseline_of(Baseline kind, std::span<const float> picture, const Shape& shape) {
  const int height = shape[1], width = shape[2], channels = shape[3];
  std::vector<float> baseline(picture.size(), kind == Baseline::black ? -1.0F : 0.0F);
  if (kind == Baseline::blurred) {
    const double sigma = 0.1 * std::max(height, width);
    baseline = blurred_along(blurred_along(picture, width, channels, sigma), height, width * channels, sigma);
  }
  if (channels % 2 == 0) {
    for (std::size_t i = static_cast<std::size_t>(channels) - 1; i < picture.size();
         i += static_cast<std::size_t>(channels)) {
      baseline[i] = picture[i];
    }
  }
  return baseline;
}

std::optional<double> IntegratedGradients::Completeness::gap() const {
  const double gap = (sum - difference) / difference;
  return std::isfinite(gap) ? std::optional(gap) : std::nullopt;
}

IntegratedGradients integrated_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                         const Integration& integration) {
  check(integration.points >= 1, "integrated gradients: {} points", integration.points);
  const auto size = static_cast<std::size_t>(network.picture().count());
  const std::size_t count = questions.asked.size();
  std::vector<float> baselines;
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<float> its =
        baseline_of(integration.baseline, questions.pictures.subspan(i * size, size), network.picture());
    baselines.insert(baselines.end(), its.begin(), its.end());
  }
  // Behind the points of each picture come its baseline and the picture itself, for their logits.
  const auto points = static_cast<std::size_t>(integration.points), rows = points + 2;
  IntegratedGradients result;
  result.completeness.resize(count);
  std::vector<double> sums(questions.pictures.size());
  network.ask(
      context, static_cast<std::int64_t>(count * rows),
      [&](std::int64_t row, std::span<float> picture) {
        const std::size_t place = static_cast<std::size_t>(row) / rows, point = static_cast<std::size_t>(row) % rows;
        const double share = point < points ? (static_cast<double>(point) + 0.5) / static_cast<double>(points)
                                            : static_cast<double>(point - points);
        for (std::size_t i = 0; i < size; ++i) {
          const auto from = static_cast<double>(baselines[place * size + i]);
          const auto to = static_cast<double>(questions.pictures[place * size + i]);
          picture[i] = static_cast<float>(from + share * (to - from));
        }
        return questions.asked[place];
      },
      [&](std::int64_t row, const AnsweringNetwork::Row& answer) {
        const std::size_t place = static_cast<std::size_t>(row) / rows, point = static_cast<std::size_t>(row) % rows;
        if (point >= points) {
          const auto logit = static_cast<double>(answer.logits[static_cast<std::size_t>(questions.asked[place].logit)]);
          result.completeness[place].difference += point == points ? -logit : logit;
          return;
        }
        for (std::size_t i = 0; i < size; ++i) {
          sums[place * size + i] += static_cast<double>(answer.gradient[i]);
        }
      });
  result.attributions.resize(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double way = static_cast<double>(questions.pictures[i]) - static_cast<double>(baselines[i]);
    const double attribution = way * sums[i] / static_cast<double>(points);
    result.attributions[i] = static_cast<float>(attribution);
    result.completeness[i / size].sum += attribution;
  }
  return result;
}

}  // namespace duel

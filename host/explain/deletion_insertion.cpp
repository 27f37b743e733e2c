#include "host/explain/deletion_insertion.h"

#include "host/explain/integrated_gradients.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace duel {

namespace {

// The place of each pixel in the order of importance, from 0.
std::vector<std::size_t> ranks_of(std::span<const float> importance) {
  std::vector<std::size_t> order(importance.size()), ranks(importance.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return importance[a] > importance[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    ranks[order[i]] = i;
  }
  return ranks;
}

double area_under(std::span<const double> shares, std::span<const double> values) {
  double area = 0;
  for (std::size_t i = 1; i < shares.size(); ++i) {
    area += (shares[i] - shares[i - 1]) * (values[i] + values[i - 1]) / 2;
  }
  return area;
}

struct Way {
  Baseline other;     // what pixels are replaced by, or replace
  bool begins_whole;  // from the picture to the other, or back
};

class Watched {
public:
  Watched(const AnsweringNetwork& network, const Questions& questions, std::span<const float> importance, int parts)
      : network_(network), questions_(questions), parts_(static_cast<std::size_t>(parts)) {
    const std::size_t pixels =
        static_cast<std::size_t>(network.picture()[1]) * static_cast<std::size_t>(network.picture()[2]);
    check(importance.size() == questions.asked.size() * pixels, "deletion and insertion: {} numbers for {} pictures",
          importance.size(), questions.asked.size());
    for (std::size_t i = 0; i < questions.asked.size(); ++i) {
      ranks_.push_back(ranks_of(importance.subspan(i * pixels, pixels)));
    }
  }

  std::vector<double> along(Context& context, const Way& way, const Probability& probability) const {
    const auto size = static_cast<std::size_t>(network_.picture().count());
    const auto channels = static_cast<std::size_t>(network_.picture().back());
    const std::size_t pixels = size / channels, count = questions_.asked.size(), steps = parts_ + 1;
    std::vector<double> means(steps);
    std::vector<float> other;
    network_.ask(
        context, static_cast<std::int64_t>(count * steps),
        [&](std::int64_t row, std::span<float> picture) {
          const std::size_t place = static_cast<std::size_t>(row) / steps, step = static_cast<std::size_t>(row) % steps;
          const std::span<const float> its = questions_.pictures.subspan(place * size, size);
          if (step == 0) {
            other = baseline_of(way.other, its, network_.picture());
          }
          const std::size_t changed = pixels * step / parts_;
          for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
            const bool is_of_picture = (ranks_[place][pixel] >= changed) == way.begins_whole;
            for (std::size_t i = pixel * channels; i < (pixel + 1) * channels; ++i) {
              picture[i] = is_of_picture ? its[i] : other[i];
            }
          }
          return questions_.asked[place];
        },
        [&](std::int64_t row, const AnsweringNetwork::Row& answer) {
          const std::size_t place = static_cast<std::size_t>(row) / steps;
          means[static_cast<std::size_t>(row) % steps] +=
              probability(answer.logits, questions_.asked[place].logit) / static_cast<double>(count);
        });
    return means;
  }

private:
  const AnsweringNetwork& network_;
  const Questions& questions_;
  std::size_t parts_;
  std::vector<std::vector<std::size_t>> ranks_;  // of the pixels of each picture
};

}  // namespace

FaithfulnessCurves deletion_insertion(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                      std::span<const float> importance, int parts, const Probability& probability) {
  check(parts >= 1 && !questions.asked.empty(), "deletion and insertion: {} parts of {} pictures", parts,
        questions.asked.size());
  const Watched watched(network, questions, importance, parts);
  FaithfulnessCurves curves;
  for (int part = 0; part <= parts; ++part) {
    curves.shares.push_back(static_cast<double>(part) / parts);
  }
  curves.deletion = watched.along(context, {Baseline::grey, true}, probability);
  curves.insertion = watched.along(context, {Baseline::blurred, false}, probability);
  curves.deletion_area = area_under(curves.shares, curves.deletion);
  curves.insertion_area = area_under(curves.shares, curves.insertion);
  return curves;
}

}  // namespace duel

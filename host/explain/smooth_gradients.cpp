#include "host/explain/smooth_gradients.h"

#include "host/data/draw_purpose.h"
#include "kernels/check.h"
#include "kernels/random.h"

#include <cstddef>

namespace duel {

namespace {

constexpr double kRange = 2;  // -1..1

// [samples,H,W,C], N(0, 1). Drawn one by one: a sample does not depend on their number.
std::vector<float> drawn(Context& context, const Shape& picture, const Smoothing& smoothing) {
  Buffer counter(context, sizeof(std::int64_t));
  Buffer noise(context, static_cast<std::size_t>(picture.count()) * sizeof(float));
  std::vector<float> all;
  for (std::int64_t sample = 0; sample < smoothing.samples; ++sample) {
    upload<std::int64_t>(context, counter.view({1}, DType::i64), std::span(&sample, 1));
    random_normal(context, {smoothing.seed, purpose_of_draw("smooth_gradients")}, counter.view({1}, DType::i64),
                  noise.view(picture, DType::f32));
    const std::vector<float> its = download<float>(context, noise.view(picture, DType::f32));
    all.insert(all.end(), its.begin(), its.end());
  }
  return all;
}

}  // namespace

std::vector<float> smooth_gradients(Context& context, const AnsweringNetwork& network, const Questions& questions,
                                    const Smoothing& smoothing) {
  check(smoothing.samples >= 1 && smoothing.sigma >= 0, "smooth gradients: {} samples of sigma {}", smoothing.samples,
        smoothing.sigma);
  const auto size = static_cast<std::size_t>(network.picture().count());
  const auto samples = static_cast<std::size_t>(smoothing.samples);
  const std::vector<float> noise = drawn(context, network.picture(), smoothing);
  const auto sigma = static_cast<float>(smoothing.sigma * kRange);
  std::vector<double> sums(questions.pictures.size());
  network.ask(
      context, std::ssize(questions.asked) * smoothing.samples,
      [&](std::int64_t row, std::span<float> picture) {
        const std::size_t place = static_cast<std::size_t>(row) / samples,
                          sample = static_cast<std::size_t>(row) % samples;
        for (std::size_t i = 0; i < size; ++i) {
          picture[i] = questions.pictures[place * size + i] + sigma * noise[sample * size + i];
        }
        return questions.asked[place];
      },
      [&](std::int64_t row, const AnsweringNetwork::Row& answer) {
        const std::size_t place = static_cast<std::size_t>(row) / samples;
        for (std::size_t i = 0; i < size; ++i) {
          sums[place * size + i] += static_cast<double>(answer.gradient[i]);
        }
      });
  std::vector<float> means(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    means[i] = static_cast<float>(sums[i] / static_cast<double>(samples));
  }
  return means;
}

}  // namespace duel

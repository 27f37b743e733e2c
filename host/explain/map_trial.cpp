#include "host/explain/map_trial.h"

#include "host/data/draw_purpose.h"
#include "host/data/open_dataset.h"
#include "host/explain/picture_maps.h"
#include "kernels/check.h"
#include "kernels/philox.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr int kParts = 20;

std::vector<float> random_map(std::size_t numbers, std::uint64_t seed) {
  const Purpose purpose = purpose_of_draw("random_map");
  std::vector<float> values(numbers);
  for (std::size_t i = 0; i < numbers; ++i) {
    values[i] = unit_float(philox(seed, purpose, 0, static_cast<std::uint32_t>(i / 4))[i % 4]);
  }
  return values;
}

}  // namespace

TrialPictures trial_pictures(const ExplainRequest& request, const ExplainedNetwork& network) {
  const Options& options = network.options;
  const Data data = open_dataset(options.data, {options.threads, request.progress});
  const Source& training = main_source(data);
  const std::unique_ptr<const Source> rows = open_held_out(options.data, training);
  if (!rows || !has_field(*rows, "label")) {
    throw_error(Error::Kind::data, "--curves: the data {} of {} hold no pictures with labels out of training",
                training.name(), request.run);
  }
  const std::size_t picture = field_index(*rows, "picture"), label = field_index(*rows, "label");
  const std::size_t bytes = rows->fields()[picture].row_bytes();
  const std::int64_t count = std::min<std::int64_t>(request.curves, rows->count());
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(count) * bytes);
  TrialPictures pictures;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = i * rows->count() / count;
    rows->read(row, picture, reinterpret_cast<std::byte*>(pixels.data()) + static_cast<std::size_t>(i) * bytes);
    std::int32_t its = 0;
    rows->read(row, label, reinterpret_cast<std::byte*>(&its));
    pictures.asked.push_back({its, 0});
  }
  pictures.values = in_range(pixels);
  pictures.name = fmt::format("{} of the {} pictures held out of {}", count, rows->count(), training.name());
  return pictures;
}

std::vector<Explained::Tested> try_maps(Context& context, const ExplainRequest& request, const ExplainedNetwork& its,
                                        const AnsweringNetwork& network, const std::vector<Method>& methods,
                                        const TrialPictures& pictures) {
  const AnsweringNetwork forward(context, its.loaded->model(), its.block, Derivatives::none);
  const Questions questions{pictures.values, pictures.asked};
  const Probability probability = [&](std::span<const float> logits, int logit) {
    return its.probabilities(logits)[static_cast<std::size_t>(logit)];
  };
  std::vector<Explained::Tested> tested;
  const auto test = [&](const std::string& name, std::span<const float> importance) {
    tested.push_back({name, deletion_insertion(context, forward, questions, importance, kParts, probability)});
  };
  for (const Method method : methods) {
    test(key_of(method), maps_of(context, network, method, questions, request.smoothing, request.integration).values);
  }
  const Shape& shape = network.picture();
  test("random", random_map(pictures.asked.size() * static_cast<std::size_t>(shape.count() / shape.back()),
                            request.smoothing.seed));
  return tested;
}

}  // namespace duel

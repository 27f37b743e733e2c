#include "host/evaluate/discriminator_figures.h"

#include "host/metrics/ordered_pairs.h"
#include "host/recipes/networks.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

namespace duel {

namespace {

class Judge {
public:
  Judge(Context& context, const MeasuredRun& run) : context_(context) {
    read_checkpoint_of(run.run, run.step, [&](const std::filesystem::path& checkpoint) {
      loaded_.emplace(context, run.run, checkpoint, 0,
                      [](const Recipe& recipe) { return recipe.single_networks().at(kDiscriminator); });
    });
    sampler_.emplace(context, loaded_->model(), Parameters::Block::average);
    if (is_by_class()) {
      const std::vector<std::string>& known = loaded_->sampling.inputs[1].names;
      for (const std::string& name : run.classes) {
        const auto found = std::find(known.begin(), known.end(), name);
        of_class_.push_back(found == known.end() ? -1 : static_cast<std::int32_t>(found - known.begin()));
      }
    }
  }

  // None where a picture is of no class that it knows.
  std::optional<std::vector<float>> logits(PictureSet& pictures) {
    const std::size_t bytes = loaded_->sampling.inputs[0].row_bytes();
    std::vector<float> all;
    for (std::int64_t first = 0; first < pictures.count(); first += Sampler::kBatch) {
      const std::int64_t count = std::min<std::int64_t>(pictures.count() - first, Sampler::kBatch);
      std::vector<std::uint8_t> batch(static_cast<std::size_t>(count) * bytes);
      pictures.read(first, count, batch);
      std::vector<std::span<const std::byte>> given = {std::as_bytes(std::span(batch))};
      std::vector<std::int32_t> classes;
      if (is_by_class()) {
        for (std::int64_t i = first; i < first + count; ++i) {
          const int label = pictures.label(i);
          classes.push_back(label < 0 ? -1 : of_class_[static_cast<std::size_t>(label)]);
          if (classes.back() < 0) {
            return std::nullopt;
          }
        }
        given.push_back(std::as_bytes(std::span(classes)));
      }
      const std::vector<float> made = sampler_->run(context_, given)[0];
      all.insert(all.end(), made.begin(), made.end());
    }
    return all;
  }

private:
  bool is_by_class() const { return loaded_->sampling.inputs.size() > 1; }

  Context& context_;
  std::optional<LoadedSampling> loaded_;
  std::optional<RowSampler> sampler_;
  std::vector<std::int32_t> of_class_;  // of each of the data's classes the run's
};

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::vector<Figure> discriminator_figures(Context& context, const MeasuredRun& run) {
  Figure accuracy, gap;
  accuracy.key = "discriminator_accuracy";
  accuracy.name = "D's accuracy";
  accuracy.remark = "share of pairs, real and generated, that it puts in order; 0.5: a guess";
  gap.key = "logit_gap";
  gap.name = "D's logit gap";
  gap.remark = "mean logit of the real less that of the generated";
  accuracy.better = gap.better = kNear;
  if (!run.recipe.single_networks().contains(kDiscriminator)) {
    return {};
  }
  Judge judge(context, run);
  const auto real = judge.logits(run.reference), generated = judge.logits(run.generated),
             floor = judge.logits(run.floor);
  if (!real || !generated || !floor) {
    accuracy.remark = gap.remark = "it judges by class, and a picture is of none that it knows";
    return {accuracy, gap};
  }
  accuracy.value = ordered_share(*real, *generated);
  accuracy.floor = ordered_share(*real, *floor);
  gap.value = mean(*real) - mean(*generated);
  gap.floor = mean(*real) - mean(*floor);
  return {accuracy, gap};
}

}  // namespace duel

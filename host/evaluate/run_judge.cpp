#include "host/evaluate/run_judge.h"

#include "host/data/open_dataset.h"
#include "host/device/default_threads.h"
#include "host/evaluate/folds.h"
#include "host/evaluate/generated_pictures.h"
#include "host/evaluate/named_extractor.h"
#include "host/metrics/frechet.h"
#include "host/metrics/kernel_distance.h"
#include "host/run/interrupt.h"
#include "kernels/check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr std::uint64_t kSeed = 0;  // of latents and folds, so that runs of any seed are judged alike
constexpr std::int64_t kJudgedAtOnce = 64;
constexpr std::string_view kAuto = "auto";

struct Measured {
  Features features;
  Moments moments;
};

Measured measure(PictureSet& pictures, Extractor& extractor, const Shape& picture) {
  Measured set{{extractor.facts().width, {}}, Moments(extractor.facts().width)};
  std::vector<std::uint8_t> batch;
  for (std::int64_t first = 0; first < pictures.count(); first += kJudgedAtOnce) {
    const std::int64_t count = std::min(pictures.count() - first, kJudgedAtOnce);
    batch.resize(static_cast<std::size_t>(count * picture.count()));
    pictures.read(first, count, batch);
    const std::vector<float> made = extractor.extract(batch, count).features;
    set.moments.add(made);
    set.features.values.insert(set.features.values.end(), made.begin(), made.end());
  }
  return set;
}

class RunJudge : public PictureJudge {
public:
  RunJudge(const JudgeRequest& request, std::unique_ptr<Extractor> extractor)
      : context_(request.context),
        threads_(request.options.threads > 0 ? request.options.threads : default_threads().threads),
        extractor_(std::move(extractor)),
        classes_(has_field(request.training, "label") ? field_named(request.training, "label").names
                                                      : std::vector<std::string>()) {
    const std::unique_ptr<const Source> held_out = open_held_out(request.options.data, request.training);
    Folds folds =
        plan_folds(request.training, held_out.get(),
                   {"auto", extractor_->facts().has_seen_training_pictures, request.options.evaluate.count, kSeed});
    const Shape picture = picture_shape(request.training);
    for (const SourceRow& row : folds.reference) {
      labels_.push_back(row.label);
    }
    SourcePictures reference(std::move(folds.reference)), floor(std::move(folds.floor));
    reference_.emplace(measure(reference, *extractor_, picture));
    floor_ = distance_of(measure(floor, *extractor_, picture));
    const ExtractorFacts& facts = extractor_->facts();
    text_ = fmt::format("{} generated pictures against {}, by the extractor {}, weights {}", labels_.size(),
                        folds.reference_text, facts.name, facts.hash);
  }

  std::string text() const override { return text_; }
  const Judgement& floor() const override { return floor_; }

  void attach(const SamplingModel& model, const Shape& picture) override {
    pictures_.reset();  // its memory first
    pictures_.emplace(context_, model, picture, Parameters::Block::average, kSeed, labels_, classes_, "evaluate");
    picture_ = picture;
  }

  Judgement judge() override {
    check(pictures_.has_value(), "run judge: is attached to no generator");
    return distance_of(measure(*pictures_, *extractor_, picture_));
  }

private:
  Judgement distance_of(const Measured& set) const {
    return {kernel_distance(set.features, reference_->features, threads_).value,
            frechet_distance(set.moments, reference_->moments).value};
  }

  Context& context_;
  int threads_;
  std::unique_ptr<Extractor> extractor_;
  std::vector<std::string> classes_;
  std::vector<int> labels_;
  std::optional<Measured> reference_;
  Judgement floor_;
  std::string text_;
  std::optional<GeneratedPictures> pictures_;
  Shape picture_;
};

}  // namespace

std::unique_ptr<PictureJudge> make_run_judge(const JudgeRequest& request,
                                             const std::function<TrainingResult(const TrainingRequest&)>& train,
                                             const std::function<void(const std::string&)>& say) {
  const std::string& name = request.options.evaluate.extractor;
  ExtractorRequest extractor{name == kAuto ? "" : name, request.options.data, request.options, train, say};
  check_extractor_name(extractor.name, fmt::format("evaluate.extractor = {}", name));
  if (request.is_plan) {
    extractor.train = [](const TrainingRequest&) { return TrainingResult{.exit_code = kInterruptedExitCode}; };
    extractor.say = [](const std::string&) {};
  }
  std::unique_ptr<Extractor> made = make_named_extractor(request.context, extractor, request.training);
  return made ? std::make_unique<RunJudge>(request, std::move(made)) : nullptr;
}

}  // namespace duel

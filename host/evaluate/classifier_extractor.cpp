#include "host/evaluate/classifier_extractor.h"

#include "host/config/configuration.h"
#include "host/run/checkpoint_manifest.h"
#include "host/run/weights_hash.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace duel {

namespace {

constexpr const char* kFeatures = "features";
constexpr const char* kProbabilities = "probabilities";

std::optional<std::size_t> find_output(const Sampling& sampling, const std::string& name) {
  const auto found = std::find_if(sampling.outputs.begin(), sampling.outputs.end(),
                                  [&](const Field& field) { return field.name == name; });
  return found == sampling.outputs.end() ? std::nullopt
                                         : std::optional(static_cast<std::size_t>(found - sampling.outputs.begin()));
}

class ClassifierExtractor : public Extractor {
public:
  ClassifierExtractor(Context& context, const std::string& name, const Shape& picture, const Source& training)
      : context_(context) {
    const RunDirectory run = RunDirectory::open_for_reading(name);
    CheckpointState manifest;
    Options options;
    const std::int64_t step = read_checkpoint_of(run, std::nullopt, [&](const std::filesystem::path& checkpoint) {
      loaded_.emplace(context, run, checkpoint, 0);
      manifest = read_manifest(checkpoint);
      options = resolve_options("", run.config_path(checkpoint).string(), {});
      facts_.hash = weights_hash(checkpoint, loaded_->sampling.networks[0]);
    });
    const Sampling& sampling = loaded_->sampling;
    const std::optional<std::size_t> features = find_output(sampling, kFeatures);
    if (!features || sampling.inputs.size() != 1 || sampling.inputs[0].kind != FieldKind::picture) {
      throw_error(Error::Kind::usage,
                  "{}: is a run of the recipe {}, which makes no features of pictures; `duel train --preset classify` "
                  "trains what does",
                  name, loaded_->recipe->name());
    }
    const Shape takes = sampling.inputs[0].shape;
    if (takes != picture) {
      throw_error(Error::Kind::usage,
                  "{}: its classifier takes pictures of {}x{} pixels with {} channels, but those to be compared have "
                  "{}x{} with {}; train one on these data, or leave --extractor out",
                  name, takes[1], takes[2], takes[3], picture[1], picture[2], picture[3]);
    }
    features_ = *features;
    if (options.data.target != "attributes") {  // of which a picture may have several, or none
      probabilities_ = find_output(sampling, kProbabilities);
    }
    sampler_.emplace(context, loaded_->model(), Parameters::Block::average);
    facts_.name = fmt::format("classifier:{}, step {}", name, step);
    facts_.resize = "none (it takes the pictures as they are)";
    facts_.width = static_cast<int>(sampling.outputs[features_].shape.row_count());
    facts_.classes = probabilities_ ? sampling.outputs[*probabilities_].names : std::vector<std::string>();
    // By its name too: where a picture was added since, or all are decoded otherwise, it has seen most of them.
    facts_.has_seen_training_pictures =
        manifest.data == training.fingerprint() || options.data.source == training.name();
  }

  const ExtractorFacts& facts() const override { return facts_; }

  Extraction extract(std::span<const std::uint8_t> pictures, std::int64_t count) override {
    Extraction result;
    const std::size_t bytes = pictures.size() / static_cast<std::size_t>(count);
    for (std::int64_t first = 0; first < count; first += Sampler::kBatch) {
      const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(count - first, Sampler::kBatch));
      const std::array given = {std::as_bytes(pictures.subspan(static_cast<std::size_t>(first) * bytes, rows * bytes))};
      const std::vector<std::vector<float>> outputs = sampler_->run(context_, given);
      const std::vector<float>& features = outputs[features_];
      result.features.insert(result.features.end(), features.begin(), features.end());
      if (probabilities_) {
        const std::vector<float>& probabilities = outputs[*probabilities_];
        result.probabilities.insert(result.probabilities.end(), probabilities.begin(), probabilities.end());
      }
    }
    return result;
  }

private:
  Context& context_;
  std::optional<LoadedSampling> loaded_;
  std::optional<RowSampler> sampler_;
  std::size_t features_ = 0;
  std::optional<std::size_t> probabilities_;
  ExtractorFacts facts_;
};

}  // namespace

std::unique_ptr<Extractor> make_classifier_extractor(Context& context, const std::string& run, const Shape& picture,
                                                     const Source& training) {
  return std::make_unique<ClassifierExtractor>(context, run, picture, training);
}

}  // namespace duel

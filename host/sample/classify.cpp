#include "host/sample/classify.h"

#include "host/config/configuration.h"
#include "host/data/open_dataset.h"
#include "host/data/relabelled_source.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/run/run_directory.h"
#include "host/run/weights_hash.h"
#include "host/sample/generate.h"
#include "host/sample/held_out.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/picture_files.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <utility>

namespace duel {

namespace {

constexpr const char* kRecipe = "classify";

class LoadedClassifier {
public:
  LoadedClassifier(const ClassifyRequest& request, Context& context, const LoadedSampling& loaded,
                   const Options& options)
      : request_(request), context_(context), loaded_(loaded), options_(options) {}

  void call_files(Classified& result) const {
    PictureFiles files(request_.files, taken_pictures(options_, loaded_.sampling.inputs[0].shape));
    RowSampler sampler(context_, loaded_.model(), Parameters::Block::average);
    const std::size_t classes = result.classes.size();
    files.read(Sampler::kBatch, [&](std::span<const std::string> names, std::span<const std::uint8_t> pixels) {
      const std::array rows = {std::as_bytes(pixels)};
      const std::vector<float> probabilities = sampler.run(context_, rows)[0];
      for (std::size_t i = 0; i < names.size(); ++i) {
        const std::span<const float> its = std::span(probabilities).subspan(i * classes, classes);
        result.pictures.push_back({names[i], {its.begin(), its.end()}, largest(its)});
      }
    });
    result.unread = files.unread();
  }

  Judged judge() const {
    const Opening opening{options_.threads, request_.progress};
    if (request_.held_out) {
      const Data data = open_dataset(options_.data, opening);
      const std::unique_ptr<const Source> rows = open_held_out(options_.data, main_source(data));
      if (!rows || !missing_inputs(*loaded_.recipe->held_out(), *rows).empty()) {
        throw_error(Error::Kind::data, "{}: its data {} hold no pictures with {} out of training", request_.run,
                    main_source(data).name(), is_of_tags() ? "tags" : "labels");
      }
      return judge_rows(*rows, "held out of ");
    }
    Options::Data other = options_.data;
    other.source = request_.data;
    if (is_of_photographs(request_.data)) {
      other = data_like(other, loaded_.sampling.inputs[0].shape);
      other.held_out = 0;  // all of them are judged
    } else {
      other.size = "auto";
    }
    const Data data = open_dataset(other, opening);
    const std::unique_ptr<const Source> rows = open_held_out(other, main_source(data));
    return judge_rows(rows ? *rows : main_source(data), "of ");
  }

private:
  bool is_of_tags() const { return options_.data.target == "attributes"; }

  Judged judge_rows(const Source& source, const std::string& which) const {
    HeldOutMeasure measure = *loaded_.recipe->held_out();
    if (const std::string missing = missing_inputs(measure, source); !missing.empty()) {
      throw_error(Error::Kind::data, "{}: has no {}, by which {} could be judged", source.name(), missing,
                  request_.run);
    }
    const Shape there = picture_shape(source), here = loaded_.sampling.inputs[0].shape;
    if (there != here) {
      throw_error(Error::Kind::data,
                  "{}: its pictures are of {}x{} pixels with {} channels, but the network takes {}x{} "
                  "with {}",
                  source.name(), there[1], there[2], there[3], here[1], here[2], here[3]);
    }
    const RelabelledSource rows(source, {loaded_.sampling.inputs[0], target()});
    Judged judged;
    measure.metrics.clear();
    measure.report = {};
    measure.summarize = [&](const Source& measured, HeldOutMeasure::Rows outputs) {
      if (is_of_tags()) {
        judged.tags = tag_scores(measured, "attributes", outputs[0]);
      } else {
        judged.confusion = confusion_of(measured, "label", outputs[0]);
        judged.calibration = calibration_of(measured, "label", outputs[0]);
      }
      return std::vector<double>();
    };
    HeldOut(context_, std::move(measure), rows, loaded_.networks, loaded_.storage).measure(context_);
    judged.rows = fmt::format("{} pictures {}{}", rows.count(), which, source.name());
    judged.left_out = rows.left_out();
    judged.unknown_tags = rows.unread();
    judged.missing_tags = rows.missing();
    return judged;
  }

  Field target() const {
    const std::vector<std::string>& names = loaded_.sampling.outputs[0].names;
    if (!is_of_tags()) {
      return label_field("label", names);
    }
    return {"attributes", FieldKind::attributes, {1, static_cast<int>(names.size())}, DType::f32, {}, names};
  }

  const ClassifyRequest& request_;
  Context& context_;
  const LoadedSampling& loaded_;
  const Options& options_;
};

}  // namespace

Classified classify(const ClassifyRequest& request) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  std::optional<LoadedSampling> loaded;
  Options options;
  Classified result;
  result.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    const std::filesystem::path config = run.config_path(checkpoint);
    options = options_from_toml(read_text_file(config), config.string());
    if (options.recipe != kRecipe) {
      throw_error(Error::Kind::usage,
                  "{}: is a run of the recipe {}, but pictures are classified by one of the recipe {}, as `duel train "
                  "--preset classify` makes it",
                  request.run, options.recipe, kRecipe);
    }
    loaded.emplace(context, run, checkpoint, 0);
    result.weights = weights_hash(checkpoint, loaded->sampling.networks[0]);
  });
  options.threads = request.where.threads;
  result.classes = loaded->sampling.outputs[0].names;
  result.features = loaded->sampling.outputs[1].shape[1];
  result.is_of_tags = options.data.target == "attributes";
  const LoadedClassifier classifier(request, context, *loaded, options);
  if (request.held_out || !request.data.empty()) {
    result.judged = classifier.judge();
  } else {
    classifier.call_files(result);
  }
  return result;
}

}  // namespace duel

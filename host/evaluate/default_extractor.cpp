#include "host/evaluate/default_extractor.h"

#include "host/config/configuration.h"
#include "host/data/photograph_source.h"
#include "host/files/cache_folder.h"
#include "host/files/crc32c.h"
#include "host/recipes/registry.h"
#include "host/run/run_directory.h"
#include "kernels/check.h"

#include <optional>
#include <span>
#include <vector>

namespace duel {

namespace {

constexpr const char* kPreset = "classify";
constexpr const char* kPresetOfPhotographs = "classify-photographs";

std::filesystem::path folder_of(const Options& options, const Source& training) {
  const std::filesystem::path cache = cache_folder();
  if (cache.empty()) {
    throw_error(Error::Kind::data, "there is no place to keep an extractor: {}; name one by --extractor", kNowhere);
  }
  Options its = options;  // of where it is trained its name says nothing
  const Options none;
  its.device = none.device;
  its.threads = none.threads;
  its.kernels = none.kernels;
  its.schedule = none.schedule;
  const std::string text = training.fingerprint() + "\n" + to_toml(its);
  return cache / "extractors" / fmt::format("{:08x}", crc32c(std::as_bytes(std::span(text))));
}

}  // namespace

std::string classifier_preset(const Source& training) {
  return dynamic_cast<const PhotographSource*>(&training.base()) != nullptr ? kPresetOfPhotographs : kPreset;
}

DefaultExtractor default_extractor(const Options::Data& data, const Source& training, const Options& where,
                                   const std::function<TrainingResult(const TrainingRequest&)>& train,
                                   const std::function<void(const std::string&)>& say) {
  constexpr const char* kElse = "name an extractor: --extractor classifier:RUN, onnx:FILE, or pixels";
  if (!has_field(training, "label")) {
    throw_error(Error::Kind::usage, "{}: has no labels, so no classifier can be trained on it to judge by; {}",
                training.name(), kElse);
  }
  if (field_named(training, "label").names.size() < 2) {
    throw_error(Error::Kind::usage, "{}: has a single class, {}, so no classifier can be trained on it to judge by; {}",
                training.name(), field_named(training, "label").names[0], kElse);
  }
  const std::string preset_name = classifier_preset(training);
  Options options = resolve_options(preset_name, "", {});
  const bool labels = options.data.labels;
  options.data = data;
  options.data.labels = labels;  // of generators
  options.device = where.device;
  options.threads = where.threads;
  options.kernels = where.kernels;
  DefaultExtractor result{folder_of(options, training), false};
  const std::int64_t steps = total_steps(options, training.count() / options.train.batch);
  std::optional<std::int64_t> done;
  const bool is_begun = RunDirectory::is_run(result.run);
  if (is_begun) {
    done = RunDirectory::open_for_reading(result.run).latest_checkpoint();
  }
  if (is_begun && done.value_or(0) >= steps) {
    return result;
  }
  say(
      fmt::format("no extractor is named: training a classifier on {} to judge by (preset {}, {} steps), once; it is "
                  "kept in {}",
                  training.name(), preset_name, steps, result.run.string()));
  std::filesystem::create_directories(result.run.parent_path());
  TrainingRequest request;
  request.options = options;
  request.folder = result.run.string();
  request.resume = is_begun;
  result.is_interrupted = train(request).exit_code != 0;
  return result;
}

}  // namespace duel

#include "host/evaluate/restoration.h"

#include "host/config/degradation.h"
#include "host/data/input_source.h"
#include "host/data/open_dataset.h"
#include "host/device/default_threads.h"
#include "host/device/device.h"
#include "host/pictures/sample_grid.h"
#include "host/sample/generate.h"
#include "host/sample/held_out.h"
#include "host/sample/loaded_sampling.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <span>

namespace duel {

namespace {

// Of the run, changed by what is asked for; photographs come at the size that they were trained at.
Options::Data data_of(const HeldOutRequest& request, const Options& trained, const Shape& picture) {
  const bool names_data = std::any_of(request.settings.begin(), request.settings.end(),
                                      [](const Setting& setting) { return setting.key == "data.source"; });
  Options options = trained;
  if (names_data) {
    options.data.held_out = 0;  // all of them are measured
  }
  for (const Setting& setting : request.settings) {
    apply_setting(setting, options);
  }
  if (is_of_photographs(options.data.source)) {
    options.data.size = fmt::format("{}x{}", picture[2], picture[1]);
    options.data.colour = picture[3] == 1 ? "grey" : "colour";
  } else {
    options.data.size = "auto";
  }
  validate(options);
  return options.data;
}

// A hole is as good as strokes: the network is told where either is.
bool are_alike(const std::string& a, const std::string& b) {
  return a == b || (leaves_holes(a) && leaves_holes(b));
}

void check_jobs(const Source& source, const Field& job, const std::string& run) {
  const std::vector<std::string> its =
      has_field(source, job.name) ? field_named(source, job.name).names : std::vector<std::string>();
  if (!std::equal(its.begin(), its.end(), job.names.begin(), job.names.end(), are_alike)) {
    throw_error(Error::Kind::usage,
                "{}: was trained on several degradations, {}; --degrade must name these in this order, with commas "
                "between, and so says how strong each is to be",
                run, fmt::join(job.names, ", "));
  }
}

void check_fields(const Source& source, const Sampling& sampling, const std::string& run) {
  if (sampling.inputs.size() > 1) {
    check_jobs(source, sampling.inputs[1], run);
  }
  for (const Field* ours : {&sampling.inputs[0], &sampling.outputs[0]}) {
    const Shape &its = field_named(source, ours->name).shape, &wanted = ours->shape;
    if (its != wanted) {
      throw_error(Error::Kind::usage,
                  "{}: was trained for {}s of {}x{} pixels with {} channels, but those of {} are {}x{} with {}", run,
                  ours->name, wanted[2], wanted[1], wanted[3], source.name(), its[2], its[1], its[3]);
    }
  }
}

std::vector<PictureScore> scores_of(Context& context, const LoadedSampling& loaded, const Source& source,
                                    Parameters::Block block, int threads) {
  HeldOutMeasure measure;
  measure.sampling = loaded.sampling;
  const Shape shape = loaded.sampling.outputs[0].shape;
  measure.reduce = [shape](const Source& rows, std::int64_t row, std::span<const std::span<const float>> outputs) {
    const PictureScore its = score_picture(rows, row, to_picture(outputs[0], shape[1], shape[2], shape[3]));
    return to_floats(its);
  };
  std::vector<PictureScore> scores;
  measure.summarize = [&](const Source&, HeldOutMeasure::Rows outputs) {
    scores = from_floats(outputs[0]);
    return std::vector<double>();
  };
  HeldOut(context, std::move(measure), source, loaded.networks, loaded.storage, block, threads).measure(context);
  return scores;
}

}  // namespace

bool is_of_restoration(const std::string& recipe) {
  return recipe == "restore";
}

RestorationEvaluation evaluate_restoration(const HeldOutRequest& request) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  const int threads = request.where.threads > 0 ? request.where.threads : default_threads().threads;
  std::optional<LoadedSampling> loaded;
  Options options;
  RestorationEvaluation result;
  result.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    options = options_of(run, checkpoint);
    loaded.emplace(context, run, checkpoint, 0);
  });
  const Options::Data wanted = data_of(request, options, loaded->picture);
  const Data data = open_dataset(wanted, {threads, request.progress});
  const Source& main = main_source(data);
  const bool is_own = wanted.source == options.data.source;
  const std::unique_ptr<const Source> held_out = open_held_out(wanted, main);
  if (is_own && !held_out) {
    throw_error(Error::Kind::data, "{}: its data {} hold no pictures out of training; name others with --data SOURCE",
                request.run, main.name());
  }
  const Source& rows = held_out ? *held_out : main;
  if (!has_field(rows, kInputField)) {
    throw_error(Error::Kind::usage, "{}: has nothing that pictures could be made of; give --degrade or --pairs",
                main.name());
  }
  check_fields(rows, loaded->sampling, request.run);
  const auto block = request.raw ? Parameters::Block::master : Parameters::Block::average;
  result.run = request.run;
  result.data = fmt::format("{} pictures {}{}", rows.count(), held_out ? "held out of " : "of ", rows.name());
  result.degrade = wanted.pairs == "none" ? wanted.degrade : "pairs of " + wanted.pairs;
  result.input = loaded->sampling.inputs[0].shape;
  result.picture = loaded->sampling.outputs[0].shape;
  result.scores = restoration_scores(rows, scores_of(context, *loaded, rows, block, threads), threads);
  return result;
}

std::string to_text(const RestorationEvaluation& evaluation) {
  const Shape &from = evaluation.input, &to = evaluation.picture;
  return fmt::format("{}, step {}: {}, {}x{}x{} to {}x{}x{} ({})\n{}\n", evaluation.run, evaluation.step,
                     evaluation.data, from[2], from[1], from[3], to[2], to[1], to[3], evaluation.degrade,
                     to_text(evaluation.scores));
}

}  // namespace duel

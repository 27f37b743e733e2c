#include "host/evaluate/held_out_figures.h"

#include "host/data/open_dataset.h"
#include "host/device/default_threads.h"
#include "host/device/device.h"
#include "host/sample/generate.h"
#include "host/sample/held_out.h"
#include "host/sample/loaded_sampling.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <memory>
#include <string_view>

namespace duel {

namespace {

constexpr std::string_view kPrefix = "held_out_";

std::string_view unit_of(const std::string& figure) {
  return figure == "ssim"         ? "1: alike"
         : figure == "l1"         ? "mean difference, 1: of black from white"
         : figure == "flow_error" ? "pixels from the true flow, where the garment is seen"
                                  : "";
}

}  // namespace

bool has_held_out_figures(const std::string& recipe) {
  return recipe == "tryon";
}

HeldOutFigures evaluate_held_out(const HeldOutRequest& request) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  const int threads = request.where.threads > 0 ? request.where.threads : default_threads().threads;
  std::optional<LoadedSampling> loaded;
  Options options;
  HeldOutFigures result;
  result.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    options = options_of(run, checkpoint);
    loaded.emplace(context, run, checkpoint, 0);
  });
  for (const Setting& setting : request.settings) {
    apply_setting(setting, options);
  }
  validate(options);
  const Data data = open_dataset(options.data, {threads, request.progress});
  const std::unique_ptr<const Source> rows = open_held_out(options.data, main_source(data));
  HeldOutMeasure measure = *loaded->recipe->held_out();
  const std::string missing = missing_inputs(measure, rows ? *rows : main_source(data));
  if (!missing.empty() || !rows) {
    throw_error(Error::Kind::usage, "{}: has no {}, by which a run of the recipe {} is measured",
                main_source(data).name(), missing.empty() ? "pictures out of training" : missing, options.recipe);
  }
  const Shape its = picture_shape(*rows), wanted = loaded->picture;
  if (its != wanted) {
    throw_error(Error::Kind::usage, "{}: was trained on pictures of {}x{} pixels, but those of {} are {}x{}",
                request.run, wanted[2], wanted[1], rows->name(), its[2], its[1]);
  }
  result.run = request.run;
  result.data = rows->name();
  result.pictures = rows->count();
  result.picture = wanted;
  const auto block = request.raw ? Parameters::Block::master : Parameters::Block::average;
  HeldOut held_out(context, std::move(measure), *rows, loaded->networks, loaded->storage, block, threads);
  for (auto& [name, value] : held_out.measure(context).numbers) {
    result.figures.emplace_back(name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name, value);
  }
  return result;
}

std::string to_text(const HeldOutFigures& figures) {
  std::string text = fmt::format("{}, step {}: {} pictures of {} that it was not trained on, {}x{}\n", figures.run,
                                 figures.step, figures.pictures, figures.data, figures.picture[2], figures.picture[1]);
  for (const auto& [name, value] : figures.figures) {
    text += fmt::format("  {:<12} {:.4f}  {}\n", name, value, unit_of(name));
  }
  return text;
}

}  // namespace duel

// `duel evaluate`: how good the pictures of a run are, or those of a folder.
#include "host/evaluate/evaluate.h"

#include "host/evaluate/held_out_figures.h"
#include "host/evaluate/restoration.h"
#include "host/run/interrupt.h"
#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Memorisation& its) {
  Json pairs = Json::array();
  for (const MemorisedPair& pair : its.closest) {
    pairs.push_back({{"generated", pair.generated},
                     {"training", pair.training},
                     {"file", pair.file},
                     {"mirrored", pair.is_mirrored},
                     {"distance", pair.distance},
                     {"psnr", pair.psnr},
                     {"ssim", pair.ssim}});
  }
  return {{"generated", its.generated},
          {"real", its.real},
          {"real_pictures", its.real_text},
          {"training", its.training},
          {"median_distance", its.median},
          {"real_median_distance", its.real_median},
          {"ratio", its.ratio},
          {"share_near", its.share_near},
          {"real_share_near", its.real_share_near},
          {"closest", pairs}};
}

Json to_json(const Evaluation& evaluation) {
  const ExtractorFacts& extractor = evaluation.extractor;
  Json figures = Json::object(), classes = Json::array();
  for (const Figure& figure : evaluation.figures) {
    figures[figure.key] = {{"name", figure.name},
                           {"value", json_of(figure.value)},
                           {"spread", json_of(figure.value_spread)},
                           {"floor", json_of(figure.floor)},
                           {"floor_spread", json_of(figure.floor_spread)},
                           {"better", figure.better},
                           {"note", figure.remark}};
  }
  for (const ClassFigures& each : evaluation.classes) {
    classes.push_back({{"name", each.name},
                       {"generated", each.generated},
                       {"reference", each.reference},
                       {"frechet_distance", json_of(each.frechet)},
                       {"frechet_distance_floor", json_of(each.frechet_floor)},
                       {"agreement", json_of(each.agreement)},
                       {"agreement_floor", json_of(each.agreement_floor)},
                       {"spread", json_of(each.spread)}});
  }
  Json object = {{"subject", evaluation.subject},
                 {"pictures", evaluation.count},
                 {"data", evaluation.data},
                 {"picture", evaluation.picture},
                 {"fold", evaluation.fold},
                 {"reference", evaluation.reference},
                 {"floor", evaluation.floor},
                 {"extractor",
                  {{"name", extractor.name},
                   {"weights", extractor.hash},
                   {"features", extractor.width},
                   {"resize", extractor.resize},
                   {"has_seen_training_pictures", extractor.has_seen_training_pictures}}},
                 {"figures", figures},
                 {"classes", classes}};
  if (evaluation.memorisation) {
    object["memorisation"] = to_json(*evaluation.memorisation);
    object["memorisation"]["sheet"] = evaluation.sheet;
  }
  if (evaluation.memorisation_by_features) {
    object["memorisation_by_features"] = to_json(*evaluation.memorisation_by_features);
  }
  object["notes"] = evaluation.notes;
  object["seconds"] = evaluation.seconds;
  return object;
}

Json to_json(const RestorationEvaluation& evaluation) {
  const RestorationScores& scores = evaluation.scores;
  const auto figures = [&](const PictureScore& score) {
    Json json = {{"psnr", score.psnr}};
    json["ssim"] = scores.has_ssim ? Json(score.ssim) : Json(nullptr);
    json["psnr_where_missing"] = scores.has_missing ? Json(score.missing) : Json(nullptr);
    json["colourfulness_share"] = scores.has_colour ? Json(scores.colour_share(score)) : Json(nullptr);
    return json;
  };
  const auto extents = [](const Shape& shape) { return Json::array({shape[1], shape[2], shape[3]}); };
  Json jobs = Json::array();
  for (const JobScores& job : scores.jobs) {
    jobs.push_back(
        {{"job", job.job}, {"pictures", job.rows}, {"restored", figures(job.made)}, {"as_given", figures(job.given)}});
  }
  return {{"run", evaluation.run},
          {"step", evaluation.step},
          {"data", evaluation.data},
          {"degrade", evaluation.degrade},
          {"pictures", scores.rows},
          {"input", extents(evaluation.input)},
          {"picture", extents(evaluation.picture)},
          {"restored", figures(scores.made)},
          {"as_given", figures(scores.given)},
          {"share_better", scores.better},
          {"jobs", jobs}};
}

Json to_json(const HeldOutFigures& its) {
  Json figures = Json::object();
  for (const auto& [name, value] : its.figures) {
    figures[name] = value;
  }
  return {{"run", its.run},
          {"step", its.step},
          {"data", its.data},
          {"pictures", its.pictures},
          {"picture", Json::array({its.picture[1], its.picture[2], its.picture[3]})},
          {"figures", figures}};
}

// What a training prints is no result of this verb: while one lives, standard output goes where errors go.
class OutputAsErrors {
public:
  OutputAsErrors() : output_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  OutputAsErrors(const OutputAsErrors&) = delete;
  OutputAsErrors& operator=(const OutputAsErrors&) = delete;
  ~OutputAsErrors() {
    std::fflush(stdout);
    ::dup2(output_, STDOUT_FILENO);
    ::close(output_);
  }

private:
  int output_;
};

TrainingResult train_beside(const TrainingRequest& request) {
  const OutputAsErrors guard;
  return run_training(request);
}

struct Evaluate {
  EvaluationRequest request;
  DeviceFlags device;
  StepFlag step;
  bool json = false;
  CLI::Option *count_option = nullptr, *seed_option = nullptr;

  void declare(CLI::App& verb);
  int run_held_out(const std::string& recipe);
  template <class Figures>
  int print(const Figures& figures) const;
  void add_data_key(CLI::App& verb, const std::string& name, const std::string& key, const std::string& help) {
    verb.add_option_function<std::string>(
            name,
            [this, name, key](const std::string& value) {
              request.settings.push_back({name, key, value});
            },
            help)
        ->take_last();
  }

  int run() {
    if (step.is_given()) {  // of --pictures it is refused, whatever it is
      request.step = request.run.empty() ? 0 : step.resolve(request.run);
    }
    request.where = device.resolve();
    request.progress = show_decoding();
    if (!request.run.empty() && request.pictures.empty()) {
      const std::string recipe = recipe_of(request.run);
      if (is_of_restoration(recipe) || has_held_out_figures(recipe)) {
        return run_held_out(recipe);
      }
    }
    request.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
    request.train = train_beside;
    const std::optional<Evaluation> evaluation = evaluate(request);
    if (!evaluation) {
      return kInterruptedExitCode;
    }
    return print(*evaluation);
  }
};

template <class Figures>
int Evaluate::print(const Figures& figures) const {
  // Names of files need not be UTF-8; what is not becomes U+FFFD.
  fmt::print("{}",
             json ? to_json(figures).dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : to_text(figures));
  return 0;
}

int Evaluate::run_held_out(const std::string& recipe) {
  const bool asks_of_drawn = !request.extractor.empty() || request.fold != "auto" || request.by_class ||
                             !request.sheet.empty() || count_option->count() > 0 || seed_option->count() > 0;
  if (asks_of_drawn) {
    throw_error(Error::Kind::usage,
                "evaluate: {} makes pictures of pictures, each compared with its own truth, so --extractor, --fold, "
                "--count, --seed, --by-class and --sheet mean nothing to it",
                request.run);
  }
  const HeldOutRequest its{request.run, request.settings, request.step, request.raw, request.where, request.progress};
  return is_of_restoration(recipe) ? print(evaluate_restoration(its)) : print(evaluate_held_out(its));
}

void Evaluate::declare(CLI::App& verb) {
  constexpr std::int64_t kMostCount = 10'000'000;
  add_text(verb, "--run", request.run, "folder of the run whose pictures are drawn and evaluated");
  add_text(verb, "--pictures", request.pictures, "or a folder of pictures, decoded as the data are");
  add_data_key(verb, "--data", "data.source",
               "the real pictures, a source as `duel train` takes it; otherwise those the run was trained on");
  add_data_key(verb, "--size", "data.size", "of photographs: WxH, what they are brought to");
  add_data_key(verb, "--fit", "data.fit", "of photographs: cover, contain or pad");
  add_data_key(verb, "--background", "data.background", "of photographs: RRGGBB, or auto");
  add_data_key(verb, "--alpha", "data.alpha", "of photographs: flatten or keep");
  add_data_key(verb, "--colour", "data.colour", "of photographs: auto, grey or colour");
  add_data_key(verb, "--held-out", "data.held_out", "of photographs: percent that are kept out of training");
  add_data_key(verb, "--degrade", "data.degrade", "of a run that restores: what pictures are spoilt by");
  add_data_key(verb, "--pairs", "data.pairs", "of such a run: a folder of what they are to be made of");
  add_text(verb, "--extractor", request.extractor,
           "classifier:RUN, a run of --preset classify; onnx:FILE, a network that makes features; pixels: means of "
           "squares. Otherwise a classifier is trained on "
           "the data, once, and kept in the cache");
  add_text(verb, "--fold", request.fold, "the real pictures to compare with: held-out, train, or auto");
  count_option =
      add_integer(verb, "--count", request.count, std::int64_t{2}, kMostCount,
                  "pictures of each set at most: generated, reference and floor; 10000 where it is not given");
  seed_option = add_integer(verb, "--seed", request.seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                            "of the generated pictures, and of which real ones are taken");
  step.declare(verb);
  verb.add_flag("--raw", request.raw, "the generator as trained, not its moving average");
  verb.add_flag("--by-class", request.by_class, "refuse where nothing can be said by class");
  add_text(verb, "--copies", request.copies,
           "by what training pictures near to generated ones are searched: pixels; features, too, of the extractor; or "
           "auto, which takes features of 10000 training pictures at most");
  add_text(verb, "--sheet", request.sheet, "PNG file for the pairs of generated and training pictures most alike");
  device.declare(verb);
  verb.add_flag("--json", json, "for programs");
}

}  // namespace

void add_evaluate(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("evaluate", "Measure how good the pictures of a run or a folder are");
  auto evaluate = std::make_shared<Evaluate>();
  evaluate->declare(*verb);
  verb->callback([evaluate, &exit_code] { exit_code = evaluate->run(); });
}

}  // namespace duel

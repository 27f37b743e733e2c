#include "host/evaluate/evaluate.h"

#include "host/data/open_dataset.h"
#include "host/data/photograph_source.h"
#include "host/device/default_threads.h"
#include "host/device/device.h"
#include "host/device/timing.h"
#include "host/evaluate/discriminator_figures.h"
#include "host/evaluate/figures.h"
#include "host/evaluate/folds.h"
#include "host/evaluate/generated_pictures.h"
#include "host/evaluate/measured_set.h"
#include "host/evaluate/memorisation.h"
#include "host/evaluate/named_extractor.h"
#include "host/evaluate/reconstruction_figures.h"
#include "host/metrics/frechet.h"
#include "host/run/run_directory.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "kernels/check.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <random>
#include <utility>

namespace duel {

namespace {

void check_request(const EvaluationRequest& request) {
  if (request.run.empty() == request.pictures.empty()) {
    throw_error(Error::Kind::usage, "evaluate: name what is to be evaluated, {}",
                request.run.empty() ? "--run RUN or --pictures FOLDER" : "--run or --pictures, not both");
  }
  const bool names_data = std::any_of(request.settings.begin(), request.settings.end(),
                                      [](const Setting& setting) { return setting.key == "data.source"; });
  if (request.run.empty() && !names_data) {
    throw_error(Error::Kind::usage, "evaluate: --pictures needs --data SOURCE, the real pictures to compare with");
  }
  if (request.run.empty() && (request.step || request.raw)) {
    throw_error(Error::Kind::usage, "evaluate: {} is of a --run, not of --pictures", request.step ? "--step" : "--raw");
  }
  check_extractor_name(request.extractor, fmt::format("--extractor {}", request.extractor));
  if (request.copies != "auto" && request.copies != "pixels" && request.copies != "features") {
    throw_error(Error::Kind::usage, "--copies {}: must be pixels, features or auto", request.copies);
  }
  if (!request.sheet.empty() && std::filesystem::path(request.sheet).extension() != ".png") {
    throw_error(Error::Kind::usage, "--sheet {}: is written as PNG, so its name must end in .png", request.sheet);
  }
}

// The options of the data: of a run those it was trained with, changed by what is asked for.
Options data_options(const EvaluationRequest& request) {
  if (request.run.empty()) {
    return resolve_options("", "", request.settings);
  }
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  const std::int64_t step = request.step ? *request.step : run.require_latest_checkpoint();
  return resolve_options("", run.config_path(step).string(), request.settings);
}

std::string picture_text(const Source& source, const Options::Data& options) {
  const Shape picture = picture_shape(source);
  std::string text =
      fmt::format("{}x{} pixels, {} channel{}", picture[2], picture[1], picture[3], picture[3] == 1 ? "" : "s");
  if (dynamic_cast<const PhotographSource*>(&source.base()) != nullptr) {
    text += fmt::format(" (photographs, --fit {})", options.fit);
  }
  return text;
}

std::vector<std::string> classes_of(const Source& source) {
  return has_field(source, "label") ? field_named(source, "label").names : std::vector<std::string>();
}

// A folder of pictures, decoded to the form of the data, none held out; their classes by name.
struct PictureFolderSource {
  PictureFolderSource(const EvaluationRequest& request, const Options::Data& options, const Source& real)
      : data(open_dataset(form(request, options, real), {request.where.threads, request.progress})) {
    const Shape its = picture_shape(main_source(data)), wanted = picture_shape(real);
    if (its != wanted) {
      throw_error(Error::Kind::usage,
                  "--pictures {}: have {}x{} pixels with {} channels, but those of {} have {}x{} with {}",
                  request.pictures, its[2], its[1], its[3], real.name(), wanted[2], wanted[1], wanted[3]);
    }
  }

  // In a drawn order, at most so many; labels are the data's.
  std::vector<SourceRow> rows(const std::vector<std::string>& classes, std::int64_t most, std::uint64_t seed) const {
    std::vector<SourceRow> all = rows_of(main_source(data));
    const std::vector<std::string> names = classes_of(main_source(data));
    for (SourceRow& row : all) {
      const auto found = row.label < 0
                             ? classes.end()
                             : std::find(classes.begin(), classes.end(), names[static_cast<std::size_t>(row.label)]);
      row.label = found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
    }
    std::mt19937_64 random(seed);
    for (std::size_t i = all.size(); i > 1; --i) {
      std::swap(all[i - 1], all[random() % i]);
    }
    all.resize(std::min(all.size(), static_cast<std::size_t>(most)));
    return all;
  }

  Data data;

private:
  static Options::Data form(const EvaluationRequest& request, const Options::Data& options, const Source& real) {
    const Shape picture = picture_shape(real);
    Options::Data its = options;
    its.source = std::filesystem::absolute(request.pictures).string();
    its.held_out = 0;
    if (photographs_of(its.source)) {
      its.size = fmt::format("{}x{}", picture[2], picture[1]);
      its.colour = picture[3] == 1 ? "grey" : "colour";
      its.alpha = picture[3] == 4 ? "keep" : "flatten";
    }
    return its;
  }
};

// What is evaluated, ready to be read.
struct Subject {
  std::optional<LoadedSampling> loaded;       // of a run
  std::optional<PictureFolderSource> folder;  // or these
  std::unique_ptr<PictureSet> pictures;
  std::string text, drawn;
};

std::vector<int> labels_of(const std::vector<SourceRow>& rows) {
  std::vector<int> labels;
  for (const SourceRow& row : rows) {
    labels.push_back(row.label);
  }
  return labels;
}

const char* how_it_is_measured(const std::string& recipe) {
  if (recipe == "classify") {
    return "; `duel classify --held-out` measures it";
  }
  return recipe == "cut" || recipe == "cyclegan" ? "; tools/judge_translation.py measures it" : "";
}

std::int64_t load_run(Context& context, const EvaluationRequest& request, const Source& real, Subject& subject) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  const std::int64_t step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    subject.loaded.emplace(context, run, checkpoint, 0);
  });
  if (!draws_pictures(subject.loaded->sampling)) {
    const std::string recipe = subject.loaded->recipe->name();
    throw_error(Error::Kind::usage, "{}: is a run of the recipe {}, which draws no pictures{}", request.run, recipe,
                how_it_is_measured(recipe));
  }
  const Shape its = subject.loaded->picture, wanted = picture_shape(real);
  if (its != wanted) {
    throw_error(Error::Kind::usage,
                "{}: draws pictures of {}x{} pixels with {} channels, but those of {} have {}x{} with {}", request.run,
                its[2], its[1], its[3], real.name(), wanted[2], wanted[1], wanted[3]);
  }
  if (request.by_class && !drawn_inputs(subject.loaded->sampling).classes) {
    throw_error(Error::Kind::usage, "{}: was trained without classes, so nothing can be said by class", request.run);
  }
  return step;
}

void check_by_class(const EvaluationRequest& request, const std::vector<std::string>& classes, const Source& real) {
  if (request.by_class && classes.empty()) {
    throw_error(Error::Kind::usage, "{}: has no labels, so nothing can be said by class", real.name());
  }
}

// Draws as many pictures as the reference has; of a folder with fewer, the folds are cut to its number.
void open_subject(Context& context, const EvaluationRequest& request, const std::vector<std::string>& classes,
                  std::int64_t step, Folds& folds, Subject& subject) {
  if (subject.loaded) {
    const auto block = request.raw ? Parameters::Block::master : Parameters::Block::average;
    auto pictures =
        std::make_unique<GeneratedPictures>(context, subject.loaded->model(), subject.loaded->picture, block,
                                            request.seed, labels_of(folds.reference), classes, request.run);
    subject.text = fmt::format("{}, step {}, seed {}{}", request.run, step, request.seed,
                               request.raw ? ", weights as trained" : "");
    subject.drawn = !pictures->is_by_class() ? ""
                    : classes.empty()        ? ", its classes in turn"
                                             : ", of the reference's classes";
    subject.pictures = std::move(pictures);
    return;
  }
  std::vector<SourceRow> rows = subject.folder->rows(classes, std::ssize(folds.reference), request.seed);
  if (request.by_class && std::any_of(rows.begin(), rows.end(), [](const SourceRow& row) { return row.label < 0; })) {
    throw_error(Error::Kind::usage,
                "--pictures {}: not every picture is of a class of the data, by its sub-folder or in "
                "labels.csv, so nothing can be said by class",
                request.pictures);
  }
  if (rows.size() < 2) {
    throw_error(Error::Kind::data, "--pictures {}: holds {} picture, and two at least are needed", request.pictures,
                rows.size());
  }
  folds.reference.resize(rows.size());
  folds.floor.resize(rows.size());
  subject.text = fmt::format("folder {}", request.pictures);
  subject.drawn = fmt::format(" of the {} in it", main_source(subject.folder->data).count());
  subject.pictures = std::make_unique<SourcePictures>(std::move(rows));
}

void append(std::vector<Figure> figures, std::vector<Figure>& to) {
  to.insert(to.end(), std::make_move_iterator(figures.begin()), std::make_move_iterator(figures.end()));
}

void note_data(const EvaluationRequest& request, const Folds& folds, std::vector<std::string>& notes) {
  const bool has_own = std::none_of(request.settings.begin(), request.settings.end(),
                                    [](const Setting& setting) { return setting.key == "data.source"; });
  if (folds.fold == "training") {
    notes.push_back("the reference are training pictures, so a generator that copies them looks good here: see copies");
  } else if (!has_own && !request.run.empty()) {
    notes.push_back(
        fmt::format("the reference is held out of the data named here; that {} was not trained on it is not "
                    "checked",
                    request.run));
  }
}

}  // namespace

std::optional<Evaluation> evaluate(const EvaluationRequest& request) {
  const Clock::time_point begin = Clock::now();
  check_request(request);
  const Options options = data_options(request);
  Context context = make_context(request.where);
  const int threads = request.where.threads > 0 ? request.where.threads : default_threads().threads;
  const Data data = open_dataset(options.data, {request.where.threads, request.progress});
  const Source& training = main_source(data);
  const std::unique_ptr<const Source> held_out = open_held_out(options.data, training);
  const std::vector<std::string> classes = classes_of(training);
  check_by_class(request, classes, training);
  Subject subject;
  std::int64_t step = 0;
  if (request.run.empty()) {
    subject.folder.emplace(request, options.data, training);
  } else {
    step = load_run(context, request, training, subject);
  }

  Options where;
  where.device = request.where.device;
  where.threads = request.where.threads;
  where.kernels = request.where.kernels;
  const std::unique_ptr<Extractor> extractor =
      make_named_extractor(context, {request.extractor, options.data, where, request.train, request.say}, training);
  if (!extractor) {
    return std::nullopt;
  }
  const Shape picture = picture_shape(training);

  Folds folds = plan_folds(training, held_out.get(),
                           {request.fold, extractor->facts().has_seen_training_pictures, request.count, request.seed});
  open_subject(context, request, classes, step, folds, subject);
  Evaluation result;
  result.subject = subject.text;
  result.generated = subject.drawn;
  result.data = training.name();
  result.picture = picture_text(training, options.data);
  result.fold = folds.fold;
  result.reference = folds.reference_text;
  result.floor = folds.floor_text;
  result.count = std::ssize(folds.reference);
  result.extractor = extractor->facts();

  const MeasuredForm form = measured_form(picture, classes, extractor->facts());
  SourcePictures reference_pictures(std::move(folds.reference)), floor_pictures(std::move(folds.floor));
  const MeasuredSet generated = measure_set(*subject.pictures, *extractor, form);
  const MeasuredSet reference = measure_set(reference_pictures, *extractor, form);
  const MeasuredSet floor = measure_set(floor_pictures, *extractor, form);
  const MeasuredSets sets{generated, reference, floor};
  result.figures = figures_of(sets, form, threads);
  if (subject.loaded) {
    const RunDirectory run = RunDirectory::open_for_reading(request.run);
    const MeasuredRun its{run,           *subject.loaded->recipe, step, classes, *subject.pictures, reference_pictures,
                          floor_pictures};
    append(discriminator_figures(context, its), result.figures);
    append(reconstruction_figures(context, its, picture, threads), result.figures);
  }
  result.classes = class_figures_of(sets, form);
  const bool lacks_class =
      std::any_of(result.classes.begin(), result.classes.end(), [](const ClassFigures& each) { return !each.frechet; });
  if (lacks_class) {
    result.class_needs = least_rows_of_full_rank(extractor->facts().width);
  }
  result.notes = notes_on(sets, form);
  note_data(request, folds, result.notes);
  result.memorisation = measure_memorisation(*subject.pictures, generated, training, held_out.get(), picture, threads);
  std::vector<MemorisedPair> pairs = result.memorisation->closest;
  const bool is_searched_by_features =
      request.copies == "features" ||
      (request.copies == "auto" && request.extractor != "pixels" && training.count() <= kMostFeatureSearch);
  if (is_searched_by_features) {
    result.memorisation_by_features = measure_memorisation_by_features(*subject.pictures, generated, *extractor,
                                                                       training, held_out.get(), picture, threads);
    const std::vector<MemorisedPair>& more = result.memorisation_by_features->closest;
    pairs.insert(pairs.end(), more.begin(), more.end());
  }
  if (!request.sheet.empty()) {
    write_png(request.sheet, pair_sheet(pairs, *subject.pictures, training, picture));
    result.sheet = request.sheet;
  }
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace duel

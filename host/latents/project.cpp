#include "host/latents/project.h"

#include "host/device/timing.h"
#include "host/files/atomic_file.h"
#include "host/latents/empty_place.h"
#include "host/latents/latent_run.h"
#include "host/latents/projection_sheet.h"
#include "host/latents/projection_targets.h"
#include "host/latents/projection_text.h"
#include "host/latents/projector.h"
#include "host/latents/training_neighbours.h"
#include "host/metrics/picture_similarity.h"
#include "host/run/interrupt.h"
#include "host/run/weights_hash.h"
#include "host/sample/class_choice.h"
#include "host/sample/generate.h"
#include "host/sample/latent_file.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

namespace duel {

namespace {

constexpr std::string_view kClassifier = "classifier:", kAuto = "auto";
constexpr const char* kFeatures = "features";
constexpr int kNeighbours = 4;

void check_request(const ProjectionRequest& request) {
  if (request.photographs.empty() && request.training == 0 && request.held_out == 0) {
    throw_error(
        Error::Kind::usage,
        "project: nothing says what to look for; name photographs, or rows of the run's data by --training N or "
        "--held-out N");
  }
  if (request.starts < 1 || request.starts > kMostStarts || request.steps < 1 || request.steps > kMostProjectorSteps) {
    throw_error(Error::Kind::usage, "project: {} starts of {} steps, where 1 to {} of 1 to {} are made", request.starts,
                request.steps, kMostStarts, kMostProjectorSteps);
  }
  if (!request.features.empty() && !request.features.starts_with(kClassifier)) {
    throw_error(Error::Kind::usage, "--features {}: must be classifier:RUN, a run of --preset classify",
                request.features);
  }
}

// The classifier whose features are compared.
class FeatureRun {
public:
  FeatureRun(LatentRun& run, const std::string& features) {
    const std::string name = features.substr(kClassifier.size());
    const RunDirectory folder = RunDirectory::open_for_reading(name);
    std::string weights;
    const std::int64_t step = read_checkpoint_of(folder, std::nullopt, [&](const std::filesystem::path& checkpoint) {
      loaded_.emplace(run.context(), folder, checkpoint, 0);
      weights = weights_hash(checkpoint, loaded_->sampling.networks[0]);
    });
    const Sampling& sampling = loaded_->sampling;
    const auto found = std::find_if(sampling.outputs.begin(), sampling.outputs.end(),
                                    [](const Field& field) { return field.name == kFeatures; });
    if (found == sampling.outputs.end() || sampling.inputs.size() != 1) {
      throw_error(Error::Kind::usage, "--features {}: is a run of the recipe {}, which makes no features of pictures",
                  features, loaded_->recipe->name());
    }
    const Shape takes = sampling.inputs[0].shape, drawn = run.picture();
    if (takes != drawn) {
      throw_error(Error::Kind::usage,
                  "--features {}: takes pictures of {}x{} pixels with {} channels, but {} draws {}x{} with {}",
                  features, takes[2], takes[1], takes[3], run.name(), drawn[2], drawn[1], drawn[3]);
    }
    output_ = static_cast<std::size_t>(found - sampling.outputs.begin());
    text_ = fmt::format("{}, step {}, weights {}", features, step, weights);
  }

  FeatureNetwork network() const { return {loaded_->model(), output_}; }
  const std::string& text() const { return text_; }

private:
  std::optional<LoadedSampling> loaded_;
  std::size_t output_ = 0;
  std::string text_;
};

// Numbers of the classes that are tried for a target; -1 alone where the run knows none.
std::vector<int> classes_of(const LatentRun& run, const ProjectionRequest& request, const ProjectionTarget& target) {
  const std::vector<std::string>& names = run.classes();
  const bool is_named = !request.class_name.empty() && request.class_name != kAuto;
  if (is_named) {
    ClassRequest asked;
    asked.names = {request.class_name};
    std::vector<int> chosen;
    for (const std::vector<float>& shares : class_shares(asked, names, request.run)) {
      chosen.push_back(static_cast<int>(std::max_element(shares.begin(), shares.end()) - shares.begin()));
    }
    return chosen;
  }
  if (names.empty()) {
    if (request.class_name == kAuto) {
      class_shares({{std::string(kAuto)}, ""}, names, request.run);  // which refuses it
    }
    return {-1};
  }
  if (request.class_name.empty() && target.label >= 0) {
    return {target.label};
  }
  std::vector<int> all(names.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

struct Start {
  std::size_t target = 0;
  int number = 0, label = -1;
  std::vector<float> latent, shares;
};

std::vector<Start> plan_starts(LatentRun& run, const ProjectionRequest& request,
                               const std::vector<ProjectionTarget>& targets) {
  const auto width = static_cast<std::size_t>(run.latent());
  const std::vector<float> drawn = run.sampled(request.seed, request.starts);
  std::vector<float> encoded;
  if (run.has_encoder()) {
    std::vector<Picture> pictures;
    for (const ProjectionTarget& each : targets) {
      pictures.push_back(each.picture);
    }
    encoded = run.encoded(pictures);
  }
  const auto row_of = [&](const std::vector<float>& rows, std::size_t row) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(row * width);
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(width));
  };
  std::vector<Start> starts;
  for (std::size_t target = 0; target < targets.size(); ++target) {
    for (const int label : classes_of(run, request, targets[target])) {
      for (int number = 0; number < request.starts; ++number) {
        Start start{target, number, label, {}, std::vector<float>(run.classes().size())};
        start.latent =
            number == 0 && !encoded.empty() ? row_of(encoded, target) : row_of(drawn, static_cast<std::size_t>(number));
        if (label >= 0) {
          start.shares[static_cast<std::size_t>(label)] = 1;
        }
        starts.push_back(std::move(start));
      }
    }
  }
  return starts;
}

// Of each start what became of it; nothing where a signal came.
std::vector<ProjectedRow> run_starts(Projector& projector, const ProjectionRequest& request,
                                     const std::vector<ProjectionTarget>& targets, const std::vector<Start>& starts) {
  std::vector<ProjectedRow> rows;
  for (std::size_t first = 0; first < starts.size(); first += Projector::kRows) {
    if (InterruptGuard::requested()) {
      return {};
    }
    std::vector<ProjectionTask> tasks;
    for (std::size_t i = first; i < std::min(first + Projector::kRows, starts.size()); ++i) {
      tasks.push_back({starts[i].latent, starts[i].shares, targets[starts[i].target].picture.pixels});
    }
    for (ProjectedRow& row : projector.run(tasks)) {
      rows.push_back(std::move(row));
    }
    if (request.on_rows) {
      request.on_rows(static_cast<int>(rows.size()), static_cast<int>(starts.size()));
    }
  }
  return InterruptGuard::requested() ? std::vector<ProjectedRow>() : rows;
}

class Results {
public:
  Results(LatentRun& run, const std::vector<ProjectionTarget>& targets, const RunData& data)
      : run_(run), targets_(targets), data_(data) {
    for (const ProjectionTarget& each : targets) {
      ProjectedPicture& picture = pictures_.emplace_back();
      picture.name = each.name;
      picture.file = each.file;
      picture.fold = each.fold;
      originals_.push_back(each.picture);
    }
    if (const Source* training = data.training()) {
      neighbours_ = find_training_neighbours(*training, originals_, kNeighbours, run.threads());
      find_folds();
    }
  }

  void take(const std::vector<Start>& starts, const std::vector<ProjectedRow>& rows) {
    std::vector<std::size_t> order(starts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rows[a].loss < rows[b].loss; });
    drawn_.resize(pictures_.size());
    best_.resize(pictures_.size());
    for (const std::size_t i : order) {
      const Start& start = starts[i];
      const Picture picture = to_pictures(rows[i].picture, run_.picture())[0];
      ProjectionStart result;
      result.number = start.number;
      result.class_name = start.label < 0 ? "" : run_.classes()[static_cast<std::size_t>(start.label)];
      result.loss = rows[i].loss;
      result.psnr = psnr(picture, originals_[start.target]);
      result.features = rows[i].features;
      result.length = std::sqrt(std::max(0.0F, rows[i].squared_length));
      if (pictures_[start.target].starts.empty()) {
        best_[start.target] = {rows[i].latent, start.shares};
      }
      pictures_[start.target].starts.push_back(result);
      drawn_[start.target].push_back(picture);
    }
  }

  std::vector<ProjectionSheet> sheets() const {
    std::vector<ProjectionSheet> all;
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      ProjectionSheet sheet{pictures_[i], targets_[i], drawn_[i], {}, std::nullopt, best_[i].first, best_[i].second};
      if (neighbours_) {
        sheet.nearest = neighbours_->nearest[i];
        sheet.mean = neighbours_->mean;
      }
      all.push_back(std::move(sheet));
    }
    return all;
  }

  SavedLatents latents() const {
    SavedLatents saved;
    saved.width = run_.latent();
    saved.classes = run_.classes();
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      saved.latents.insert(saved.latents.end(), best_[i].first.begin(), best_[i].first.end());
      saved.shares.insert(saved.shares.end(), best_[i].second.begin(), best_[i].second.end());
      saved.names.push_back(pictures_[i].file);
    }
    return saved;
  }

  const std::vector<ProjectedPicture>& pictures() const { return pictures_; }

private:
  void find_folds() {
    const std::vector<bool> held_out =
        data_.held_out ? are_rows_of(*data_.held_out, originals_) : std::vector<bool>(originals_.size());
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      ProjectedPicture& its = pictures_[i];
      if (its.fold.empty()) {
        its.fold = neighbours_->is_training_picture[i] ? "training" : held_out[i] ? "held out" : "new";
      }
      its.mean_psnr = psnr(neighbours_->mean, originals_[i]);
      for (const TrainingNeighbour& each : neighbours_->nearest[i]) {
        its.nearest.push_back({each.row, each.file, each.is_mirrored, each.psnr});
      }
    }
  }

  LatentRun& run_;
  const std::vector<ProjectionTarget>& targets_;
  const RunData& data_;
  std::vector<Picture> originals_;
  std::vector<ProjectedPicture> pictures_;
  std::optional<TrainingNeighbours> neighbours_;
  std::vector<std::vector<Picture>> drawn_;                              // in the order of the starts
  std::vector<std::pair<std::vector<float>, std::vector<float>>> best_;  // latent and classes
};

void write_results(const std::filesystem::path& folder, LatentRun& run, const Results& results) {
  const std::vector<ProjectionSheet> sheets = results.sheets();
  for (const ProjectionSheet& sheet : sheets) {
    write_png(folder / (sheet.projected.name + ".png"), projection_sheet(run, sheet));
  }
  if (sheets.size() > 1) {
    const std::string title = fmt::format("{} pictures in {}, step {}", sheets.size(), run.name(), run.step());
    write_png(folder / "all.png", projection_overview(sheets, title));
  }
  write_latents(folder / "latents.safetensors", results.latents(),
                {{"run", run.name()}, {"step", fmt::format("{}", run.step())}, {"weights", run.weights()}});
}

}  // namespace

std::optional<Projection> project(const ProjectionRequest& request) {
  const Clock::time_point begin = Clock::now();
  check_request(request);
  const std::filesystem::path out = empty_place(request.out);
  LatentRun run({request.run, request.step, request.raw, request.where});
  classes_of(run, request, {});  // which refuses what cannot be meant, before anything is read
  std::optional<FeatureRun> features;
  if (!request.features.empty()) {
    features.emplace(run, request.features);
  }
  Projection result;
  const RunData data = open_run_data(run, request);
  const std::vector<ProjectionTarget> targets = projection_targets(run, data, request, result.unread);
  const InterruptGuard guard;
  AtomicFolder folder(out);
  Results results(run, targets, data);
  ProjectorSettings settings;
  settings.steps = request.steps;
  const std::vector<Start> starts = plan_starts(run, request, targets);
  Projector projector(run.context(), run.model(), run.block(), settings,
                      features ? std::optional(features->network()) : std::nullopt);
  const std::vector<ProjectedRow> rows = run_starts(projector, request, targets, starts);
  if (rows.empty()) {
    return std::nullopt;
  }
  results.take(starts, rows);
  write_results(folder.path(), run, results);
  folder.publish();

  result.run = request.run;
  result.step = run.step();
  result.weights = run.weights();
  result.latent = run.latent();
  result.features = features ? features->text() : "";
  result.data = data.training() != nullptr ? data.training()->name() : "";
  result.pictures = results.pictures();
  result.comparison = compare_folds(result.pictures);
  if (data.training() == nullptr) {
    result.notes.push_back(
        fmt::format("the training pictures cannot be read, so nothing stands beside the figures: {}", data.fault));
  }
  for (const SkippedFile& each : result.unread) {
    result.notes.push_back(fmt::format("{}: {}", each.file, each.reason));
  }
  if (!can_decode_photographs()) {
    result.notes.emplace_back("this program was built without libvips, so the sheets have no words");
  }
  result.seconds = seconds_since(begin);
  return result;
}

}  // namespace duel

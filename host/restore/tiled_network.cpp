#include "host/restore/tiled_network.h"

#include "host/config/configuration.h"
#include "host/files/atomic_file.h"
#include "host/recipes/restore_networks.h"
#include "host/restore/tiles.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace duel {

namespace {

constexpr const char* kRecipe = "restore";
constexpr int kOverlap = 24;                           // pixels, where tiles are large enough
constexpr int kMostTiles = 4;                          // at once
constexpr std::int64_t kPixelsAtOnce = 4 * 128 * 128;  // of what comes

Options options_of(const RunDirectory& run, const std::filesystem::path& checkpoint) {
  const std::filesystem::path config = run.config_path(checkpoint);
  return options_from_toml(read_text_file(config), config.string());
}

Field of_size(Field field, PictureSize size, int scale) {
  field.shape = {1, scale * size.height, scale * size.width, field.shape[3]};
  return field;
}

// The place of a job among those of the run.
std::size_t place_of(const std::string& job, const std::vector<std::string>& jobs, const std::string& run) {
  if (jobs.empty()) {
    if (!job.empty()) {
      throw_error(Error::Kind::usage, "--job {}: {} was trained on one degradation alone, and does nothing else", job,
                  run);
    }
    return 0;
  }
  const auto found = std::find(jobs.begin(), jobs.end(), job);
  if (found == jobs.end()) {
    throw_error(Error::Kind::usage, "{}{} was trained on several degradations; --job says which one it is to undo: {}",
                job.empty() ? "" : fmt::format("--job {}: ", job), run, fmt::join(jobs, ", "));
  }
  return static_cast<std::size_t>(found - jobs.begin());
}

int tiles_at_once(PictureSize tile, int scale) {
  const std::int64_t pixels = std::int64_t{tile.height} * tile.width * scale * scale;
  return static_cast<int>(std::clamp<std::int64_t>(kPixelsAtOnce / pixels, 1, kMostTiles));
}

}  // namespace

RestorerForm restorer_form(const Options& options, const Recipe& recipe, const std::string& run,
                           const std::string& job) {
  const std::optional<Sampling> sampling = recipe.translation();
  const std::size_t most_inputs = options.recipe == kRecipe ? 2 : 1;  // where it knows several jobs
  if (!sampling || sampling->inputs.size() > most_inputs || sampling->outputs.size() != 1) {
    throw_error(
        Error::Kind::usage,
        "{}: is a run of the recipe {}, but photographs are enlarged, repaired and translated by one of a recipe "
        "that makes a picture of a picture, as `duel train --preset enlarge`, `--preset repair` and `--preset "
        "pix2pix` make it",
        run, options.recipe);
  }
  const Shape &input = sampling->inputs[0].shape, &picture = sampling->outputs[0].shape;
  RestorerForm form;
  form.inputs = input[3];
  form.outputs = picture[3];
  form.scale = restoration_scale(sampling->inputs[0], sampling->outputs[0]);
  form.restores = options.recipe == kRecipe;
  form.has_holes = form.restores && form.inputs == form.outputs + 1;
  for (const int channels : {form.outputs, form.has_holes ? form.outputs : form.inputs}) {
    if (channels != 1 && channels != 3) {
      throw_error(
          Error::Kind::usage,
          "{}: was trained on pictures of {} channels, but photographs are put through networks of 1 (grey) or 3 "
          "(colour); train with --alpha flatten",
          run, channels);
    }
  }
  constexpr int kFilter = 3;
  form.least_side = kFilter;
  const int part = form.restores ? options.data.crop / form.scale : 0;
  form.knows_parts = part > 0;
  form.trained_on = part > 0 ? PictureSize{part, part} : PictureSize{input[1], input[2]};
  // Of another recipe nothing is known but that it takes what it was trained on.
  form.granule = form.restores ? restorer_granule(options, sampling->outputs[0]) : std::lcm(input[1], input[2]);
  form.degradation = options.data.pairs == "none" ? options.data.degrade : "pairs";
  if (sampling->inputs.size() > 1) {
    form.jobs = sampling->inputs[1].names;
  }
  form.job = place_of(job, form.jobs, run);
  return form;
}

TiledNetwork::TiledNetwork(Context& context, const RunDirectory& run, const std::filesystem::path& checkpoint, int tile,
                           const std::string& job)
    : context_(context), options_(options_of(run, checkpoint)), run_(run.path().string()) {
  loaded_.emplace(context, run, checkpoint, 0, [&](const Recipe& recipe) { return of_tiles(recipe, tile, job); });
  sampler_.emplace(context, loaded_->model(), Parameters::Block::average, std::nullopt,
                   tiles_at_once(tile_, form_.scale));
}

Sampling TiledNetwork::of_tiles(const Recipe& recipe, int tile, const std::string& job) {
  form_ = restorer_form(options_, recipe, run_, job);
  Sampling sampling = *recipe.translation();
  if (tile > 0) {
    tile_ = {tile, tile};
  } else {
    const int shorter = std::min(form_.trained_on.height, form_.trained_on.width);
    // A network that looks at whole pictures makes something else of a tile of another size.
    const int times = form_.knows_parts ? (kLeastTile + shorter - 1) / shorter : 1;
    tile_ = {times * form_.trained_on.height, times * form_.trained_on.width};
  }
  const int granule = form_.granule;
  const int least = std::max(granule, form_.least_side);
  if (tile > 0 && (tile < least || tile % granule != 0)) {
    throw_error(Error::Kind::usage, "--tile {}: the network of {} takes tiles of at least {} pixels a side{}", tile,
                run_, least, granule == 1 ? "" : fmt::format(", multiples of {}", granule));
  }
  sampling.inputs[0] = of_size(sampling.inputs[0], tile_, 1);
  sampling.outputs[0] = of_size(sampling.outputs[0], tile_, form_.scale);
  return sampling;
}

std::vector<float> TiledNetwork::run(std::span<const std::uint8_t> tiles) {
  const auto inputs = static_cast<std::size_t>(form_.inputs);
  if (form_.fills_holes()) {
    bool is_missing = false;
    for (std::size_t at = inputs - 1; at < tiles.size(); at += inputs) {
      is_missing = is_missing || tiles[at] == 0;
    }
    if (!is_missing) {
      std::vector<float> known;
      known.reserve(tiles.size() / inputs * form_.outputs);
      for (std::size_t at = 0; at < tiles.size(); ++at) {
        if (at % inputs != inputs - 1) {
          known.push_back(static_cast<float>(tiles[at]) / kPictureScale.divisor + kPictureScale.shift);
        }
      }
      return known;
    }
  }
  std::vector<std::span<const std::byte>> rows = {std::as_bytes(tiles)};
  const std::vector<std::int32_t> jobs(tiles.size() / (inputs * tile_.height * tile_.width),
                                       static_cast<std::int32_t>(form_.job));
  if (!form_.jobs.empty()) {
    rows.push_back(std::as_bytes(std::span(jobs)));
  }
  return std::move(sampler_->run(context_, rows)[0]);
}

Picture TiledNetwork::restore(const Picture& given, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  check(given.channels == form_.inputs, "restore: a picture of {} channels for a network of {}", given.channels,
        form_.inputs);
  TiledWork work;
  work.tile = tile_;
  work.overlap = std::min({kOverlap, tile_.height / 4, tile_.width / 4});
  work.at_once = sampler_->batch();
  work.scale = form_.scale;
  work.channels = form_.outputs;
  work.network = [this](std::span<const std::uint8_t> tiles) { return run(tiles); };
  work.progress = progress;
  Picture made = restored_in_tiles(given, work);
  if (form_.fills_holes()) {
    const auto inputs = static_cast<std::size_t>(form_.inputs), outputs = static_cast<std::size_t>(form_.outputs);
    for (std::size_t pixel = 0; pixel * inputs < given.pixels.size(); ++pixel) {
      if (given.pixels[pixel * inputs + outputs] != 0) {
        std::copy_n(given.pixels.begin() + static_cast<std::ptrdiff_t>(pixel * inputs), outputs,
                    made.pixels.begin() + static_cast<std::ptrdiff_t>(pixel * outputs));
      }
    }
  }
  return made;
}

}  // namespace duel

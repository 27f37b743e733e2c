#include "host/sample/generate.h"

#include "host/config/configuration.h"
#include "host/config/decimal.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/files/csv.h"
#include "host/files/lower_case.h"
#include "host/pictures/picture_folder.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/run/checkpoint.h"
#include "host/sample/latents.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "host/sample/wanted_pictures.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace duel {

namespace {

void check_out(const GenerateRequest& request) {
  const std::filesystem::path out = request.out;
  std::error_code failure;
  if (!request.grid.empty()) {
    if (in_lower_case(out.extension().string()) != ".png") {
      throw_error(Error::Kind::usage, "--out {}: a sheet is written as PNG, so its name must end in .png", request.out);
    }
  } else if (has_picture_ending(out) && !std::filesystem::is_directory(out, failure)) {
    throw_error(
        Error::Kind::usage,
        "--out {}: single pictures go into a folder, as 0000000.png and so on; name a folder, or make one sheet "
        "with --grid",
        request.out);
  }
}

// Draws the wanted pictures batch after batch.
class Drawer {
public:
  Drawer(Context& context, const LoadedSampling& loaded, const GenerateRequest& request, WantedPictures wanted)
      : context_(context),
        wanted_(std::move(wanted)),
        between_(request.steps_between),
        shares_(shares_of(loaded.sampling, request, wanted_)) {
    const Parameters::Block block = request.raw ? Parameters::Block::master : Parameters::Block::average;
    if (wanted_.seeds.empty() && !wanted_.latents) {
      sampler_.emplace(context, loaded.model(), block, request.seed);
      return;
    }
    of_latents_.emplace(context, loaded.model(), block);
    latent_ = static_cast<int>(drawn_inputs(loaded.sampling).latent.shape.row_count());
    if (wanted_.latents && wanted_.latents->width != latent_) {
      throw_error(Error::Kind::usage, "--latents {}: holds latents of {} numbers, but {} draws from {}",
                  request.latents, wanted_.latents->width, request.run, latent_);
    }
  }

  std::vector<float> draw(int first, int count) {
    if (sampler_) {
      return sampler_->draw(context_, first, count, shares(first, count));
    }
    std::vector<float> latents;
    for (int i = first; i < first + count; ++i) {
      const std::vector<float> one = latent_of(i);
      latents.insert(latents.end(), one.begin(), one.end());
    }
    const std::vector<float> of_classes = shares(first, count);
    std::vector<std::span<const std::byte>> rows = {std::as_bytes(std::span(latents))};
    if (!of_classes.empty()) {
      rows.push_back(std::as_bytes(std::span(of_classes)));
    }
    return of_latents_->run(context_, rows)[0];
  }

  // Number of the class of a picture; none where it has shares of several, or the run knows none.
  std::optional<std::size_t> class_of(int i) const {
    if (shares_.empty()) {
      return std::nullopt;
    }
    const std::vector<float>& its = shares_of_picture(i);
    const auto whole = std::find(its.begin(), its.end(), 1.0F);
    return whole == its.end() ? std::nullopt : std::optional(static_cast<std::size_t>(whole - its.begin()));
  }

  std::string name_of(int i) const {
    const auto number = static_cast<std::size_t>(i);
    return wanted_.seeds.empty() || wanted_.is_way ? picture_name(number) : seed_name(wanted_.seeds[number]);
  }

private:
  static std::vector<std::vector<float>> shares_of(const Sampling& sampling, const GenerateRequest& request,
                                                   const WantedPictures& wanted) {
    const std::optional<Field> field = drawn_inputs(sampling).classes;
    const bool is_said = !request.classes.names.empty() || !request.classes.mix.empty();
    if (!field && !is_said) {
      return {};
    }
    if (wanted.latents && !is_said && !wanted.latents->classes.empty()) {
      return saved_shares(*wanted.latents, field->names, request);
    }
    const std::vector<std::string> names = field ? field->names : std::vector<std::string>();
    std::vector<std::vector<float>> shares = class_shares(request.classes, names, request.run);
    const bool is_by_seed = !request.seeds.empty() || !request.interpolate.empty();
    if (is_by_seed && shares.size() > 1) {
      throw_error(Error::Kind::usage, "{}: it draws by class, so {} needs one --class, or --class-mix (there are {})",
                  request.run, request.seeds.empty() ? "--interpolate" : "--seeds", fmt::join(names, ", "));
    }
    return shares;
  }

  // Of each latent those that its file has.
  static std::vector<std::vector<float>> saved_shares(const SavedLatents& saved, const std::vector<std::string>& names,
                                                      const GenerateRequest& request) {
    if (saved.classes != names) {
      throw_error(Error::Kind::usage,
                  "--latents {}: is of the classes {}, but {} draws {}; --class says which ones to draw",
                  request.latents, fmt::join(saved.classes, ", "), request.run, fmt::join(names, ", "));
    }
    std::vector<std::vector<float>> shares;
    const auto width = std::ssize(names);
    for (auto row = saved.shares.begin(); row != saved.shares.end(); row += width) {
      shares.emplace_back(row, row + width);
    }
    return shares;
  }

  const std::vector<float>& shares_of_picture(int i) const {
    const int turn = wanted_.grid && !wanted_.latents ? i / wanted_.grid->columns : i;
    return shares_[static_cast<std::size_t>(turn) % shares_.size()];
  }

  std::vector<float> shares(int first, int count) const {
    std::vector<float> all;
    for (int i = first; i < first + count && !shares_.empty(); ++i) {
      const std::vector<float>& its = shares_of_picture(i);
      all.insert(all.end(), its.begin(), its.end());
    }
    return all;
  }

  std::vector<float> latent_of(int i) {
    if (wanted_.latents) {
      const auto begin = wanted_.latents->latents.begin() + static_cast<std::ptrdiff_t>(i) * latent_;
      return {begin, begin + latent_};
    }
    if (!wanted_.is_way) {
      return first_latent(context_, wanted_.seeds[static_cast<std::size_t>(i)], latent_);
    }
    const auto leg = static_cast<std::size_t>(i / (between_ + 1));
    const int step = i % (between_ + 1);
    const std::vector<float> from = first_latent(context_, wanted_.seeds[leg], latent_);
    return step == 0 ? from
                     : slerp(from, first_latent(context_, wanted_.seeds[leg + 1], latent_),
                             static_cast<double>(step) / (between_ + 1));
  }

  Context& context_;
  WantedPictures wanted_;
  int between_, latent_ = 0;
  std::vector<std::vector<float>> shares_;  // that pictures take in turn; none where the run knows no classes
  std::optional<Sampler> sampler_;
  std::optional<RowSampler> of_latents_;
};

// As many as the context has: the CPU's while it draws and encodes in turn, or all that the machine has beside a GPU.
int encoder_threads(Context& context) {
  for (const auto& [fact, value] : context.describe()) {
    if (fact == "CPU threads") {
      return decimal_integer<int>(value).value_or(1);
    }
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

void write_sheet(Drawer& drawer, const std::string& out, int count, const Shape& picture, const SheetShape& grid) {
  std::vector<float> values;
  for (int first = 0; first < count; first += Sampler::kBatch) {
    const std::vector<float> batch = drawer.draw(first, std::min(Sampler::kBatch, count - first));
    values.insert(values.end(), batch.begin(), batch.end());
  }
  write_png(out, sample_grid(values, count, picture[1], picture[2], picture[3], grid.rows, grid.columns));
}

void write_folder(Drawer& drawer, PictureFolder& folder, int count, const Shape& picture) {
  const auto size = static_cast<std::size_t>(picture.count());
  for (int first = 0; first < count; first += Sampler::kBatch) {
    std::vector<std::string> names;
    for (int i = first; i < std::min(first + Sampler::kBatch, count); ++i) {
      names.push_back(drawer.name_of(i));
    }
    const std::vector<float> values = drawer.draw(first, static_cast<int>(names.size()));
    folder.write(names, [&](std::size_t i) {
      return to_picture(std::span(values).subspan(i * size, size), picture[1], picture[2], picture[3]);
    });
  }
  folder.sync();
}

void write_labels(const Drawer& drawer, const std::filesystem::path& folder, int count,
                  const std::vector<std::string>& classes) {
  std::string table = "file,label\n";
  for (int i = 0; i < count; ++i) {
    const std::optional<std::size_t> its = drawer.class_of(i);
    if (!its) {
      return;
    }
    table += drawer.name_of(i) + ',' + csv_field(classes[*its]) + '\n';
  }
  write_file_atomically(folder / "labels.csv", std::as_bytes(std::span(table)));
}

}  // namespace

std::int64_t read_checkpoint_of(const RunDirectory& run, std::optional<std::int64_t> asked,
                                const std::function<void(const std::filesystem::path&)>& read) {
  for (;;) {
    const std::int64_t step = asked ? *asked : run.require_latest_checkpoint();
    const std::filesystem::path checkpoint = run.checkpoint_path(step);
    const auto is_gone = [&] {
      std::error_code failure;
      return !std::filesystem::is_directory(checkpoint, failure);
    };
    try {
      if (!is_gone()) {
        read(checkpoint);
        return step;
      }
    } catch (const Error& error) {
      if (!is_gone()) {
        const std::optional<std::int64_t> whole = whole_checkpoint_before(run, step);
        throw Error(error.kind(), whole ? fmt::format("{}; the checkpoint of step {} is whole: --step {} takes it",
                                                      error.what(), *whole, *whole)
                                        : error.what());
      }
    }
    if (asked) {
      throw_error(Error::Kind::data, "{}: there is no checkpoint of step {} (there are: {})", run.path().string(), step,
                  fmt::join(run.checkpoints(), ", "));
    }
  }
}

Generated generate(const GenerateRequest& request) {
  const WantedPictures wanted = wanted_pictures(request);
  check_out(request);
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  std::optional<LoadedSampling> loaded;
  const std::int64_t step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    loaded.emplace(context, run, checkpoint, wanted.grid ? wanted.count : 0);
  });
  if (!draws_pictures(loaded->sampling)) {
    throw_error(Error::Kind::usage, "{}: is a run of the recipe {}, which draws no pictures{}", request.run,
                loaded->recipe->name(),
                loaded->recipe->name() == "classify" ? "; `duel classify --run` tells the classes of some" : "");
  }
  if (wanted.grid) {
    check_sheet(loaded->picture[1], loaded->picture[2], wanted.grid->rows, wanted.grid->columns);
  }
  Drawer drawer(context, *loaded, request, wanted);
  if (wanted.grid) {
    write_sheet(drawer, request.out, wanted.count, loaded->picture, *wanted.grid);
  } else {
    PictureFolder folder(request.out, request.clear, encoder_threads(context));
    write_folder(drawer, folder, wanted.count, loaded->picture);
    if (const std::optional<Field> classes = drawn_inputs(loaded->sampling).classes) {
      write_labels(drawer, request.out, wanted.count, classes->names);
    }
  }
  return {wanted.count, step};
}

}  // namespace duel

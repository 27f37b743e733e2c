#include "host/sample/generate.h"

#include "host/config/configuration.h"
#include "host/config/decimal.h"
#include "host/device/device.h"
#include "host/pictures/picture_folder.h"
#include "host/pictures/png.h"
#include "host/pictures/sample_grid.h"
#include "host/run/checkpoint.h"
#include "host/sample/latents.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr int kMostGrid = 256;

struct Grid {
  int rows = 0, columns = 0;
};

Grid parse_grid(const std::string& text) {
  const std::size_t times = text.find('x');
  const auto rows = decimal_integer<int>(text.substr(0, times));
  const auto columns = decimal_integer<int>(times == std::string::npos ? "" : text.substr(times + 1));
  if (!rows || !columns || std::min(*rows, *columns) < 1 || std::max(*rows, *columns) > kMostGrid) {
    throw_error(Error::Kind::usage, "--grid {}: must be ROWSxCOLUMNS, each from 1 to {}, for example 8x8", text,
                kMostGrid);
  }
  return {*rows, *columns};
}

// What is to be drawn, as the request says it.
struct Wanted {
  std::optional<Grid> grid;
  std::vector<std::uint64_t> seeds;  // of a list, or the places that a way leads past; else empty
  bool is_way = false;
  int count = 0;
};

Wanted wanted_by(const GenerateRequest& request) {
  Wanted wanted;
  const bool is_list = !request.seeds.empty();
  wanted.is_way = !request.interpolate.empty();
  if (!request.grid.empty()) {
    wanted.grid = parse_grid(request.grid);
  }
  const int places = wanted.grid ? wanted.grid->rows * wanted.grid->columns : kMostPictures;
  wanted.count = wanted.grid ? places : request.count;
  if (is_list) {
    wanted.seeds = parse_seeds("--seeds", request.seeds, kMostPictures);
    std::vector<std::uint64_t> sorted = wanted.seeds;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
      throw_error(Error::Kind::usage, "--seeds {}: names seed {} twice", request.seeds, *twice);
    }
    wanted.count = static_cast<int>(wanted.seeds.size());
  } else if (wanted.is_way) {
    wanted.seeds = parse_seeds("--interpolate", request.interpolate, kMostPictures);
    if (wanted.seeds.size() < 2) {
      throw_error(Error::Kind::usage, "--interpolate {}: must be at least two seeds, for example 3,8",
                  request.interpolate);
    }
    const std::int64_t count = std::ssize(wanted.seeds) + (std::ssize(wanted.seeds) - 1) * request.steps_between;
    wanted.count = static_cast<int>(std::min<std::int64_t>(count, kMostPictures + 1));
  } else if (wanted.count == 0) {
    throw_error(Error::Kind::usage,
                "generate: nothing says how many pictures; give --count, --seeds, --interpolate or --grid 8x8");
  }
  if (wanted.count > places) {
    throw_error(Error::Kind::usage, "{}: {} pictures are more than the {} {}",
                is_list ? "--seeds " + request.seeds : "--interpolate " + request.interpolate, wanted.count, places,
                wanted.grid ? "places of --grid " + request.grid : "that are drawn at once");
  }
  return wanted;
}

void check_out(const GenerateRequest& request) {
  const std::filesystem::path out = request.out;
  std::error_code failure;
  if (!request.grid.empty()) {
    std::string ending = out.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    if (ending != ".png") {
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
  Drawer(Context& context, const LoadedSampling& loaded, const GenerateRequest& request, Wanted wanted)
      : context_(context), wanted_(std::move(wanted)), between_(request.steps_between) {
    const Parameters::Block block = request.raw ? Parameters::Block::master : Parameters::Block::average;
    if (wanted_.seeds.empty()) {
      sampler_.emplace(context, loaded.model(), block, request.seed);
      return;
    }
    of_latents_.emplace(context, loaded.model(), block);
    latent_ = static_cast<int>(drawn_inputs(loaded.sampling).latent.shape.row_count());
  }

  std::vector<float> draw(int first, int count) {
    if (sampler_) {
      return sampler_->draw(context_, first, count);
    }
    std::vector<float> latents;
    for (int i = first; i < first + count; ++i) {
      const std::vector<float> one = latent_of(i);
      latents.insert(latents.end(), one.begin(), one.end());
    }
    const std::array rows = {std::as_bytes(std::span(latents))};
    return of_latents_->run(context_, rows)[0];
  }

  std::string name_of(int i) const {
    const auto number = static_cast<std::size_t>(i);
    return wanted_.seeds.empty() || wanted_.is_way ? picture_name(number) : seed_name(wanted_.seeds[number]);
  }

private:
  std::vector<float> latent_of(int i) {
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
  Wanted wanted_;
  int between_, latent_ = 0;
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

void write_sheet(Drawer& drawer, const std::string& out, int count, const Shape& picture, Grid grid) {
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
  const Wanted wanted = wanted_by(request);
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
  }
  return {wanted.count, step};
}

}  // namespace duel

#include "host/restore/try_on.h"

#include "host/config/configuration.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/sample_grid.h"
#include "host/pictures/whole_photograph.h"
#include "host/run/run_directory.h"
#include "host/sample/generate.h"
#include "host/sample/loaded_sampling.h"
#include "host/sample/sampler.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <vector>

namespace duel {

namespace {

namespace fs = std::filesystem;

constexpr const char* kTryon = "tryon";

void check_out(const fs::path& out) {
  if (!has_ending_of(SavedFormat::png, out)) {
    throw_error(Error::Kind::usage, "--out {}: a PNG file is written, so its name must end in .png", out.string());
  }
  std::error_code ignored;
  if (fs::exists(out, ignored)) {
    throw_error(Error::Kind::usage, "--out {}: is there already; name a new file", out.string());
  }
}

void check_recipe(const RunDirectory& run, const fs::path& checkpoint) {
  const fs::path config = run.config_path(checkpoint);
  const Options options = options_from_toml(read_text_file(config), config.string());
  if (options.recipe != kTryon) {
    throw_error(Error::Kind::usage,
                "{}: is a run of the recipe {}, but garments are tried on by one of the recipe tryon, as `duel train "
                "--preset tryon` makes it",
                run.path().string(), options.recipe);
  }
}

struct Given {
  const char* flag;
  std::string file;
  WholePhotograph picture;

  bool is_transparent() const {
    return std::any_of(picture.alpha.begin(), picture.alpha.end(), [](std::uint8_t alpha) { return alpha < 255; });
  }
};

Given read_given(const char* flag, const std::string& file) {
  return {flag, file, read_whole_photograph(file)};
}

void check_size(const Given& given, const Shape& size) {
  const Picture& its = given.picture.colours;
  if (its.height != size[1] || its.width != size[2]) {
    throw_error(Error::Kind::usage, "{} {}: is {}x{}, but the run was trained on pictures of {}x{} (width, height)",
                given.flag, given.file, its.width, its.height, size[2], size[1]);
  }
}

// Black for the ground and the parts' colours, each channel 0 or 255, but for seams between them.
bool is_body_map(const Picture& picture) {
  const auto clear = std::count_if(picture.pixels.begin(), picture.pixels.end(),
                                   [](std::uint8_t value) { return value <= 8 || value >= 247; });
  return clear * 4 >= static_cast<std::ptrdiff_t>(picture.pixels.size()) * 3;
}

void check_kinds(const Given& person, const Given& body, const Given& garment) {
  if (person.is_transparent() && !garment.is_transparent()) {
    throw_error(Error::Kind::usage,
                "--person {} and --garment {}: are swapped: the garment is the one with transparent pixels around it",
                person.file, garment.file);
  }
  if (!garment.is_transparent()) {
    throw_error(
        Error::Kind::usage,
        "--garment {}: is opaque everywhere, but the garment must be cut out, with transparent pixels around it",
        garment.file);
  }
  for (const Given* each : {&person, &body}) {
    if (each->is_transparent()) {
      throw_error(Error::Kind::usage, "{} {}: has transparent pixels, which only the garment has", each->flag,
                  each->file);
    }
  }
  if (!is_body_map(body.picture.colours)) {
    throw_error(Error::Kind::usage,
                "--body {}: is no map of a body, which is black with the head in red, the torso in green, the legs in "
                "blue, the left arm in yellow and the right one in magenta",
                body.file);
  }
}

std::vector<std::uint8_t> with_opacity(const WholePhotograph& picture) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(picture.alpha.size() * 4);
  for (std::size_t pixel = 0; pixel < picture.alpha.size(); ++pixel) {
    const auto* first = picture.colours.pixels.data() + 3 * pixel;
    pixels.insert(pixels.end(), first, first + 3);
    pixels.push_back(picture.alpha[pixel]);
  }
  return pixels;
}

}  // namespace

TriedOn try_on(const TryOn& request) {
  check_out(request.out);
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  std::optional<LoadedSampling> loaded;
  TriedOn result;
  result.step = read_checkpoint_of(run, request.step, [&](const fs::path& checkpoint) {
    check_recipe(run, checkpoint);
    loaded.emplace(context, run, checkpoint, 0);
  });
  const Given person = read_given("--person", request.person), body = read_given("--body", request.body);
  const Given garment = read_given("--garment", request.garment);
  check_kinds(person, body, garment);
  for (const Given* each : {&person, &body, &garment}) {
    check_size(*each, loaded->picture);
  }
  RowSampler sampler(context, loaded->model(), Parameters::Block::average, std::nullopt, 1);
  const std::vector<std::uint8_t> cut_out = with_opacity(garment.picture);
  // In the order of the recipe's sampling.
  const std::array rows = {std::as_bytes(std::span(cut_out)), std::as_bytes(std::span(person.picture.colours.pixels)),
                           std::as_bytes(std::span(body.picture.colours.pixels))};
  const std::vector<float> made = std::move(sampler.run(context, rows)[0]);
  result.height = loaded->picture[1];
  result.width = loaded->picture[2];
  write_png(request.out, to_picture(made, result.height, result.width, loaded->picture[3]));
  return result;
}

}  // namespace duel

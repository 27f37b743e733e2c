#include "host/generate.h"

#include "host/atomic_file.h"
#include "host/checkpoint.h"
#include "host/device.h"
#include "host/model.h"
#include "host/png.h"
#include "host/run_directory.h"
#include "host/sample_grid.h"
#include "host/sampler.h"
#include "kernels/check.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

namespace duel {

namespace {

constexpr int kMostPictures = 10'000'000;
constexpr int kMostGrid = 256;

struct Grid {
  int rows = 0, columns = 0;
};

Grid parse_grid(const std::string& text) {
  Grid grid;
  const char* end = text.data() + text.size();
  const auto rows = std::from_chars(text.data(), end, grid.rows);
  if (rows.ec == std::errc() && rows.ptr != end && *rows.ptr == 'x') {
    const auto columns = std::from_chars(rows.ptr + 1, end, grid.columns);
    if (columns.ec == std::errc() && columns.ptr == end && grid.rows >= 1 && grid.columns >= 1 &&
        grid.rows <= kMostGrid && grid.columns <= kMostGrid) {
      return grid;
    }
  }
  throw_error(Error::Kind::usage, "--grid {}: must be ROWSxCOLUMNS, each from 1 to {}, for example 8x8", text,
              kMostGrid);
}

// The shape of the run's pictures, from the checkpoint itself: the last dense layer has H*W*C outputs, so the data's
// name is needed for H, W and C apart. It stands in state.json.
Shape picture_shape(const std::filesystem::path& checkpoint) {
  const std::string data = read_checkpoint_state(checkpoint).data;
  int height = 0, width = 0, channels = 0;
  if (std::sscanf(data.c_str(), "%*d pictures of %dx%dx%d", &height, &width, &channels) != 3 || height < 1 ||
      width < 1 || channels < 1) {
    throw_error(Error::Kind::data, "{}: does not say the size of its pictures: \"{}\"", checkpoint.string(), data);
  }
  return {1, height, width, channels};
}

}  // namespace

void generate(const GenerateRequest& request) {
  const bool as_sheet = !request.grid.empty();
  const Grid grid = as_sheet ? parse_grid(request.grid) : Grid{};
  if (!as_sheet && (request.count < 1 || request.count > kMostPictures)) {
    throw_error(Error::Kind::usage, "--count {}: must be from 1 to {} (or give --grid 8x8)", request.count,
                kMostPictures);
  }
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  const std::int64_t step = request.step >= 0 ? request.step : run.require_latest_checkpoint();
  const std::filesystem::path checkpoint = run.checkpoint_path(step);
  if (!std::filesystem::is_directory(checkpoint)) {
    throw_error(Error::Kind::data, "{}: there is no checkpoint of step {}", request.run, step);
  }
  const std::filesystem::path config = run.config_path(step);
  const Options options = options_from_toml(read_text_file(config), config.string());

  Options where;
  where.device = request.device;
  where.threads = request.threads;
  validate(where);
  Context context = make_context(where);
  const Shape picture = picture_shape(checkpoint);
  GanModel model = make_model(options, picture);
  model.generator->parameters().allocate(context, {false, true, false});
  try {
    read_generator(context, model, checkpoint);
  } catch (const Error& error) {
    const std::optional<std::int64_t> whole = whole_checkpoint_before(run, step);
    throw Error(error.kind(), whole ? fmt::format("{}; the checkpoint of step {} is whole: --step {} takes it",
                                                  error.what(), *whole, *whole)
                                    : error.what());
  }
  Sampler sampler(context, model, request.raw ? Parameters::Block::master : Parameters::Block::average, request.seed);

  const int H = picture[1], W = picture[2], C = picture[3];
  if (as_sheet) {
    const int count = grid.rows * grid.columns;
    const std::vector<float> values = sampler.draw(context, 0, count);
    write_png(request.out, sample_grid(values, count, H, W, C, grid.rows, grid.columns));
    fmt::print("{}: {} pictures of step {}\n", request.out, count, step);
    return;
  }
  create_folder(request.out);
  const auto size = static_cast<std::size_t>(picture.count());
  for (int first = 0; first < request.count; first += Sampler::kBatch) {
    const int count = std::min(Sampler::kBatch, request.count - first);
    const std::vector<float> values = sampler.draw(context, first, count);
    for (int i = 0; i < count; ++i) {
      const auto one = std::span(values).subspan(static_cast<std::size_t>(i) * size, size);
      write_png(std::filesystem::path(request.out) / fmt::format("{:07}.png", first + i), to_picture(one, H, W, C));
    }
  }
  fmt::print("{}: {} pictures of step {}\n", request.out, request.count, step);
}

}  // namespace duel

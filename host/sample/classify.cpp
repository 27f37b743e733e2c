#include "host/sample/classify.h"

#include "host/config/configuration.h"
#include "host/data/idx.h"
#include "host/data/open_dataset.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/pictures/png.h"
#include "host/run/run_directory.h"
#include "host/sample/generate.h"
#include "host/sample/held_out.h"
#include "host/sample/loaded_sampling.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

namespace duel {

namespace {

constexpr const char* kRecipe = "classify";

struct NamedPictures {
  std::vector<std::string> names;
  std::vector<std::uint8_t> pixels;  // [names, H, W, C]
};

bool is_png(const std::string& file) {
  constexpr std::array<char, 8> kSignature = {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'};
  std::array<char, 8> head{};
  std::ifstream(file, std::ios::binary).read(head.data(), head.size());
  return head == kSignature;
}

void check_size(const std::string& file, int height, int width, int channels, const Shape& picture) {
  if (height != picture[1] || width != picture[2] || channels != picture[3]) {
    throw_error(Error::Kind::data, "{}: is of {}x{} pixels with {} channels, but the network takes {}x{} with {}", file,
                height, width, channels, picture[1], picture[2], picture[3]);
  }
}

NamedPictures read_pictures(const std::string& file, const Shape& picture) {
  if (is_png(file)) {
    Picture read = read_png(file, picture[3] % 2 == 0 ? Transparency::kept : Transparency::on_white);
    check_size(file, read.height, read.width, read.channels, picture);
    return {{file}, std::move(read.pixels)};
  }
  IdxArray read = read_idx(file);
  const Shape& shape = read.shape;
  if (shape.rank() == 1) {
    throw_error(Error::Kind::data, "{}: holds labels {} where pictures [N,H,W] or [N,H,W,C] are needed", file,
                to_string(shape));
  }
  check_size(file, shape[1], shape[2], shape.rank() == 4 ? shape[3] : 1, picture);
  NamedPictures pictures{{}, std::move(read.values)};
  for (int row = 0; row < shape[0]; ++row) {
    pictures.names.push_back(fmt::format("{}#{}", file, row));
  }
  return pictures;
}

void add_called(Context& context, RowSampler& sampler, const NamedPictures& pictures, std::size_t classes,
                std::vector<CalledPicture>& called) {
  const std::size_t bytes = pictures.pixels.size() / pictures.names.size();
  for (std::size_t first = 0; first < pictures.names.size(); first += Sampler::kBatch) {
    const std::size_t count = std::min<std::size_t>(pictures.names.size() - first, Sampler::kBatch);
    const std::array rows = {std::as_bytes(std::span(pictures.pixels).subspan(first * bytes, count * bytes))};
    const std::vector<float> probabilities = sampler.run(context, rows)[0];
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const float> row = std::span(probabilities).subspan(i * classes, classes);
      const std::size_t label = largest(row);
      called.push_back({pictures.names[first + i], label, row[label]});
    }
  }
}

Confusion measure_held_out(Context& context, const LoadedSampling& loaded, const Options& options,
                           const std::string& run) {
  const Data data = open_dataset(options.data);
  const std::unique_ptr<const Source> rows = open_held_out(options.data, main_source(data));
  HeldOutMeasure measure = *loaded.recipe->held_out();
  if (!rows || !missing_inputs(measure, *rows).empty()) {
    throw_error(Error::Kind::data, "{}: its data {} hold no pictures with labels out of training", run,
                main_source(data).name());
  }
  Confusion confusion;
  measure.metrics.clear();
  measure.report = {};
  measure.summarize = [&](const Source& source, HeldOutMeasure::Rows outputs) {
    confusion = confusion_of(source, "label", outputs[0]);
    return std::vector<double>();
  };
  HeldOut(context, std::move(measure), *rows, loaded.networks, loaded.storage).measure(context);
  return confusion;
}

}  // namespace

Classified classify(const ClassifyRequest& request) {
  const RunDirectory run = RunDirectory::open_for_reading(request.run);
  Context context = make_context(request.where);
  std::optional<LoadedSampling> loaded;
  Options options;
  Classified result;
  result.step = read_checkpoint_of(run, request.step, [&](const std::filesystem::path& checkpoint) {
    const std::filesystem::path config = run.config_path(checkpoint);
    options = options_from_toml(read_text_file(config), config.string());
    if (options.recipe != kRecipe) {
      throw_error(Error::Kind::usage,
                  "{}: is a run of the recipe {}, but pictures are classified by one of the recipe {}, as `duel train "
                  "--preset classify` makes it",
                  request.run, options.recipe, kRecipe);
    }
    loaded.emplace(context, run, checkpoint, 0);
  });
  result.classes = loaded->sampling.outputs[0].names;
  if (request.held_out) {
    result.confusion = measure_held_out(context, *loaded, options, request.run);
    return result;
  }
  RowSampler sampler(context, loaded->model(), Parameters::Block::average);
  for (const std::string& file : request.files) {
    add_called(context, sampler, read_pictures(file, loaded->sampling.inputs[0].shape), result.classes.size(),
               result.pictures);
  }
  return result;
}

}  // namespace duel

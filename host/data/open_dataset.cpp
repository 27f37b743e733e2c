// From the name of a source to its fields. The reading is in host/data/idx.cpp, the drawing in
// host/data/synthetic.cpp, photographs in host/data/photograph_source.cpp; here is only which files are meant, and that
// they fit together.
#include "host/data/open_dataset.h"

#include "host/config/picture_options.h"
#include "host/data/class_names.h"
#include "host/data/degraded_source.h"
#include "host/data/idx.h"
#include "host/data/memory_source.h"
#include "host/data/paired_source.h"
#include "host/data/photograph_source.h"
#include "host/data/scan_photographs.h"
#include "host/data/synthetic.h"
#include "host/data/tryon_source.h"
#include "kernels/check.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace duel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFashionMnist = "fashion-mnist";
constexpr std::size_t kMostClasses = 256;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) {
    text.append(text.empty() ? "" : separator).append(word);
  }
  return text;
}

// The file of that name, plain before gzip.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& name) {
  for (const char* suffix : {"", ".gz"}) {
    if (const fs::path path = folder / (name + suffix); is_file(path)) {
      return path;
    }
  }
  return std::nullopt;
}

// Of one split, "train" or "t10k".
std::optional<fs::path> find_split_images(const fs::path& folder, const std::string& split) {
  for (const char* rest : {"-images-idx3-ubyte", "-images.idx3-ubyte", "-images-idx4-ubyte", "-images.idx4-ubyte"}) {
    if (const auto path = find_file(folder, split + rest)) {
      return path;
    }
  }
  return std::nullopt;
}

std::optional<fs::path> find_train_images(const fs::path& folder) {
  return find_split_images(folder, "train");
}

std::string without_gz(const fs::path& path) {
  return path.extension() == ".gz" ? path.stem().string() : path.filename().string();
}

// The names of the files with "images" in them, without .gz and without repetition.
std::vector<std::string> image_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = without_gz(entry->path());
    if (name.find("images") != std::string::npos && is_file(entry->path())) {
      names.push_back(name);
    }
  }
  if (error) {
    throw_error(Error::Kind::data, "{}: cannot list the folder: {}", folder.string(), error.message());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

fs::path find_images(const fs::path& folder) {
  if (const auto path = find_train_images(folder)) {
    return *path;
  }
  std::vector<std::string> names = image_names(folder);
  if (names.empty()) {
    throw_error(
        Error::Kind::data,
        "{}: holds no photograph (JPEG, PNG, WebP or TIFF; in a sub-folder for each class, if there are any) and "
        "no IDX file of pictures, such as train-images-idx3-ubyte.gz",
        folder.string());
  }
  // A test split beside the training split is not a second choice: it is kept for evaluation.
  if (names.size() > 1) {
    std::vector<std::string> training;
    std::copy_if(names.begin(), names.end(), std::back_inserter(training),
                 [](const std::string& name) { return name.find("train") != std::string::npos; });
    if (training.size() != 1) {
      throw_error(Error::Kind::data, "{}: holds several files of pictures ({}); name one train-images-idx3-ubyte",
                  folder.string(), join(names, ", "));
    }
    names = training;
  }
  return *find_file(folder, names.front());
}

std::optional<fs::path> find_labels(const fs::path& images) {
  std::string name = without_gz(images);
  const auto replace = [&](std::string_view from, std::string_view to) {
    if (const std::size_t at = name.rfind(from); at != std::string::npos) {
      name.replace(at, from.size(), to);
    }
  };
  replace("images", "labels");
  replace("idx3", "idx1");
  replace("idx4", "idx1");
  return find_file(images.parent_path(), name);
}

// What the classes of a folder's labels are called; `known`, where it has any, are the classes of its other split.
std::vector<std::string> names_of_classes(const fs::path& folder, const std::vector<std::string>& known,
                                          bool is_fashion_mnist, int count) {
  if (!known.empty()) {
    return known;
  }
  const fs::path file = folder / "classes.txt";
  return is_file(file) ? read_class_names(file) : is_fashion_mnist ? fashion_mnist_classes() : numbered_classes(count);
}

// The labels of the pictures, if there are any.
std::optional<MemorySource::Column> read_labels(const fs::path& image_file, int count, bool is_fashion_mnist,
                                                const std::vector<std::string>& known) {
  const auto file = find_labels(image_file);
  if (!file) {
    return std::nullopt;
  }
  const IdxArray labels = read_idx(*file);
  if (labels.shape.rank() != 1) {
    throw_error(Error::Kind::data, "{}: holds pictures {} where labels [N] are needed", file->string(),
                to_string(labels.shape));
  }
  if (labels.shape[0] != count) {
    throw_error(Error::Kind::data, "{}: holds {} labels, but {} holds {} pictures", file->string(), labels.shape[0],
                image_file.string(), count);
  }
  const auto largest = std::max_element(labels.values.begin(), labels.values.end());
  const fs::path name_file = image_file.parent_path() / "classes.txt";
  std::vector<std::string> names = names_of_classes(image_file.parent_path(), known, is_fashion_mnist, *largest + 1);
  if (*largest >= names.size()) {
    throw_error(Error::Kind::data, "{}: the label of row {} is {}, but {} {} classes, counted from 0", file->string(),
                largest - labels.values.begin(), *largest,
                is_file(name_file) ? name_file.string() + " names"
                : known.empty()    ? std::string("fashion-mnist has")
                                   : std::string("the training split has"),
                names.size());
  }
  if (names.size() > kMostClasses) {
    throw_error(Error::Kind::data, "{}: names {} classes, but the labels in {} are bytes and tell {} at most apart",
                name_file.string(), names.size(), file->string(), kMostClasses);
  }
  const std::vector<std::int32_t> values(labels.values.begin(), labels.values.end());
  return MemorySource::Column{label_field("label", std::move(names)), bytes_of(std::span(values))};
}

std::unique_ptr<const Source> read_split(const fs::path& image_file, const std::string& name,
                                         const std::vector<std::string>& known = {}) {
  IdxArray images = read_idx(image_file);
  const Shape shape = images.shape;
  if (shape.rank() == 1) {
    throw_error(Error::Kind::data, "{}: holds labels {} where pictures [N,H,W] or [N,H,W,C] are needed",
                image_file.string(), to_string(shape));
  }
  std::vector<MemorySource::Column> columns;
  columns.push_back(
      {picture_field("picture", shape[1], shape[2], shape.rank() == 4 ? shape[3] : 1), std::move(images.values)});
  if (auto labels = read_labels(image_file, shape[0], name == kFashionMnist, known)) {
    columns.push_back(std::move(*labels));
  }
  return std::make_unique<MemorySource>(name, std::move(columns));
}

// A variable that is set is an order: another place is not searched in its stead.
fs::path fashion_mnist_folder() {
  constexpr const char* kInstall = "`bash tools/setup.sh` installs it";
  const char* chosen = std::getenv("DUEL_FASHION_MNIST");
  if (chosen != nullptr && *chosen != '\0') {
    if (!find_train_images(chosen)) {
      throw_error(Error::Kind::data,
                  "fashion-mnist: no train-images-idx3-ubyte[.gz] in {}, which $DUEL_FASHION_MNIST names; correct the "
                  "variable or unset it ({})",
                  chosen, kInstall);
    }
    return chosen;
  }
  std::vector<std::string> places = {"/usr/share/datasets/fashion-mnist"};
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') {
    places.push_back(std::string(home) + "/.cache/duel/fashion-mnist");
  }
  for (const std::string& place : places) {
    if (find_train_images(place)) {
      return place;
    }
  }
  throw_error(Error::Kind::data, "fashion-mnist: not installed: no train-images-idx3-ubyte[.gz] in {}; {}",
              join(places, " or "), kInstall);
}

bool has_pairs(const Options::Data& options) {
  return options.pairs != "none";
}

// What a network is to make the pictures of, where the options say so.
std::unique_ptr<const Source> with_input(const Options::Data& options, std::unique_ptr<const Source> source) {
  const Degradation degradation = degradation_of(options.degrade);
  if (degradation.kind == DegradationKind::none) {
    return source;
  }
  return std::make_unique<DegradedSource>(std::move(source), degradation, options.crop);
}

void check_pairs(const Options::Data& options) {
  if (!has_pairs(options)) {
    return;
  }
  if (options.degrade != "none") {
    throw_error(Error::Kind::usage,
                "data.pairs = {} and data.degrade = {} both say what the network is given; leave one at none",
                options.pairs, options.degrade);
  }
  if (!is_folder(options.pairs)) {
    throw_error(Error::Kind::data, "data.pairs = {}: there is no such folder", options.pairs);
  }
  if (!is_of_photographs(options.source)) {
    throw_error(Error::Kind::usage, "data.pairs = {}: goes with a folder of photographs, but data.source is {}",
                options.pairs, options.source);
  }
}

std::unique_ptr<const Source> open_folder(const Options::Data& options, const Opening& opening) {
  const std::string& source = options.source;
  if (is_tryon_set(source)) {
    return std::make_unique<TryonSource>(options, "train",
                                         DecodeSettings{picture_form(options), opening.threads, opening.progress});
  }
  if (std::optional<PhotographFolder> photographs = photographs_of(source)) {
    const DecodeSettings settings{picture_form(options), opening.threads, opening.progress};
    if (has_pairs(options)) {
      return open_pairs(*std::move(photographs), options.pairs, options, settings);
    }
    return open_photographs(*std::move(photographs), options, settings);
  }
  return read_split(find_images(source), source);
}

void check_size(const Options::Data& options, const Source& source) {
  const std::optional<PictureExtents> asked = picture_extents(options.size);
  const Shape picture = picture_shape(source);
  if (asked && (asked->height != picture[1] || asked->width != picture[2])) {
    throw_error(Error::Kind::usage,
                "data.size = {}: the pictures of {} are {}x{} (width, height), and only photographs are brought to "
                "another size",
                options.size, source.name(), picture[2], picture[1]);
  }
}

std::unique_ptr<const Source> open_known(const Options::Data& options, const Opening& opening) {
  const std::string& source = options.source;
  if (source == kFashionMnist) {
    return read_split(find_images(fashion_mnist_folder()), source);
  }
  if (source == "synthetic") {
    return draw_synthetic(options);
  }
  if (is_file(source)) {
    throw_error(Error::Kind::data, "{}: is a file; name the folder that holds it", source);
  }
  if (!is_folder(source)) {
    throw_error(Error::Kind::data,
                "no data set '{}': neither a known name (fashion-mnist, synthetic) nor a folder of photographs or of "
                "IDX files",
                source);
  }
  return open_folder(options, opening);
}

// The rows of data.source without what is added to them.
std::unique_ptr<const Source> open_alone(const Options::Data& options, const Opening& opening) {
  std::unique_ptr<const Source> rows = open_known(options, opening);
  check_size(options, *rows);
  return rows;
}

}  // namespace

bool is_of_photographs(const std::string& source) {
  if (source == kFashionMnist || source == "synthetic") {
    return false;
  }
  return !is_folder(source) || (!find_train_images(source) && !list_photographs(source).pictures.empty());
}

std::optional<PhotographFolder> photographs_of(const std::string& source) {
  if (source == kFashionMnist || source == "synthetic" || !is_folder(source) || find_train_images(source)) {
    return std::nullopt;
  }
  PhotographFolder photographs = scan_photographs(source);
  if (photographs.pictures.empty() && photographs.skipped.empty()) {
    return std::nullopt;
  }
  return photographs;
}

Options::Data into_options(const Options::Data& options) {
  Options::Data its = options;
  its.source = options.into;
  its.into = its.pairs = its.degrade = "none";
  return its;
}

Data open_dataset(const Options::Data& options, const Opening& opening) {
  check_pairs(options);
  Data data;
  data["main"] = open_alone(options, opening);
  data["main"] = with_input(options, std::move(data["main"]));
  if (options.into != "none") {
    data["into"] = open_alone(into_options(options), opening);
  }
  return data;
}

std::unique_ptr<const Source> open_held_out(const Options::Data& options, const Source& training) {
  const std::string& source = options.source;
  if (const auto* inputs = dynamic_cast<const InputSource*>(&training)) {
    std::unique_ptr<const Source> rows = open_held_out(options, inputs->base());
    return rows ? inputs->over(std::move(rows)) : nullptr;
  }
  if (source == "synthetic") {
    return draw_held_out_synthetic(options);
  }
  if (const auto* pairs = dynamic_cast<const TryonSource*>(&training)) {
    return pairs->held_out();
  }
  if (const auto* photographs = dynamic_cast<const PhotographSource*>(&training)) {
    return photographs->held_out();
  }
  const auto image_file =
      find_split_images(source == kFashionMnist ? fashion_mnist_folder() : fs::path(source), "t10k");
  if (!image_file) {
    return nullptr;
  }
  auto held_out =
      read_split(*image_file, source,
                 has_field(training, "label") ? field_named(training, "label").names : std::vector<std::string>{});
  const Shape its = picture_shape(*held_out), ours = picture_shape(training);
  if (its != ours) {
    throw_error(Error::Kind::data, "{}: holds pictures of {}x{}x{}, but those of the training split are {}x{}x{}",
                image_file->string(), its[1], its[2], its[3], ours[1], ours[2], ours[3]);
  }
  return held_out;
}

}  // namespace duel

#include "host/augment/training_set.h"

#include "host/augment/class_generator.h"
#include "host/augment/class_match.h"
#include "host/config/configuration.h"
#include "host/data/open_dataset.h"
#include "host/device/default_threads.h"
#include "host/device/device.h"
#include "host/files/atomic_file.h"
#include "host/files/csv.h"
#include "host/files/lower_case.h"
#include "host/pictures/picture_folder.h"
#include "host/run/interrupt.h"
#include "kernels/check.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

namespace duel {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kProvenance = "provenance.json";
constexpr const char* kLabels = "labels.csv";

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    names.push_back(entry->path().filename().string());
  }
  if (failure) {
    throw_error(Error::Kind::data, "{}: cannot be listed: {}", folder.string(), failure.message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A file in the folder that make_training_set() does not make; "" where there is none.
std::string foreign_file(const fs::path& folder) {
  std::error_code failure;
  for (const std::string& name : names_in(folder)) {
    const fs::path path = folder / name;
    if (name == kProvenance || name == kLabels) {
      continue;
    }
    if (fs::is_symlink(path, failure) || !fs::is_directory(path, failure)) {
      return name;
    }
    for (const std::string& picture : names_in(path)) {
      if (!is_seed_name(picture)) {
        return name + "/" + picture;
      }
    }
  }
  return "";
}

// Where the set is put, without links and a slash behind.
fs::path place_of(const TrainingSetRequest& request) {
  std::error_code failure;
  fs::path out = fs::weakly_canonical(fs::absolute(request.out), failure);
  if (failure) {
    throw_error(Error::Kind::data, "--out {}: cannot be reached: {}", request.out, failure.message());
  }
  if (!out.has_filename()) {
    out = out.parent_path();
  }
  if (!fs::exists(out, failure)) {
    return out;
  }
  if (!fs::is_directory(out, failure)) {
    throw_error(Error::Kind::usage, "--out {}: is a file; name a folder", request.out);
  }
  const std::vector<std::string> names = names_in(out);
  if (names.empty()) {
    return out;
  }
  if (!request.clear) {
    throw_error(Error::Kind::usage,
                "--out {}: holds {} files or folders already, as {}; name another, or replace a set of pictures that "
                "was made there with --clear",
                request.out, names.size(), names[0]);
  }
  const std::string foreign = fs::exists(out / kProvenance, failure) ? foreign_file(out) : names[0];
  if (!foreign.empty()) {
    throw_error(
        Error::Kind::usage,
        "--out {}: --clear would remove {}, which is no part of a set of pictures made here; name another folder",
        request.out, foreign);
  }
  return out;
}

std::vector<TrainingSet::Class> plan_classes(const TrainingSetRequest& request, const ClassGenerator& generator) {
  const std::vector<std::string>& names = generator.classes();
  const std::vector<std::string> folders = class_folders(names);
  std::vector<TrainingSet::Class> classes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    classes.push_back({names[i], folders[i], request.per_class, std::nullopt});
  }
  if (!request.fill) {
    return classes;
  }
  const Options options = options_of_data(generator, request.data);
  const Data data = open_dataset(options.data, {request.where.threads, request.progress});
  const Source& training = main_source(data);
  const std::vector<std::size_t> numbers = numbers_of_classes(training, names, request.run);
  const std::vector<std::int64_t> real = class_counts(training, "label");
  const std::vector<std::int64_t> missing = filling_counts(real);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    classes[numbers[i]].pictures = missing[i];
    classes[numbers[i]].real = real[i];
  }
  return classes;
}

PngTexts texts_of(const TrainingSetRequest& request, const ClassGenerator& generator, const std::string& name,
                  std::uint64_t seed) {
  return {{"Software", "Duel " + request.version},
          {"AI-generated", "yes"},
          {"Preset", generator.options().preset},
          {"Step", fmt::format("{}", generator.step())},
          {"Weights", generator.weights()},
          {"Seed", fmt::format("{}", seed)},
          {"Class", name}};
}

std::string provenance_of(const TrainingSetRequest& request, const ClassGenerator& generator, const TrainingSet& set) {
  Json classes = Json::array();
  for (const TrainingSet::Class& each : set.classes) {
    classes.push_back({{"name", each.name}, {"folder", each.folder}, {"pictures", each.pictures}});
    if (each.real) {
      classes.back()["real_training_pictures"] = *each.real;
    }
  }
  const Shape& picture = generator.picture();
  const Json json = {{"software", "Duel " + request.version},
                     {"ai_generated", true},
                     {"recipe", generator.options().recipe},
                     {"preset", generator.options().preset},
                     {"step", generator.step()},
                     {"weights", "moving average"},
                     {"weights_hash", generator.weights()},
                     {"trained_on", generator.trained_on()},
                     {"picture_size", fmt::format("{}x{}x{}", picture[1], picture[2], picture[3])},
                     {"first_seed", request.seed},
                     {"pictures", set.pictures},
                     {"classes", classes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Draws and writes them, and adds their rows to the table. False where a signal came.
bool write_class(const TrainingSetRequest& request, ClassGenerator& generator, std::size_t label,
                 const TrainingSet::Class& its, const fs::path& out, std::string& table, std::int64_t& done,
                 std::int64_t all) {
  const int threads = request.where.threads > 0 ? request.where.threads : default_threads().threads;
  PictureFolder folder(out / its.folder, false, threads);
  for (std::int64_t first = 0; first < its.pictures; first += Sampler::kBatch) {
    if (InterruptGuard::requested()) {
      return false;
    }
    std::vector<std::uint64_t> seeds;
    std::vector<std::string> names;
    for (std::int64_t i = first; i < std::min<std::int64_t>(first + Sampler::kBatch, its.pictures); ++i) {
      seeds.push_back(generator.seed_of(request.seed, i, label));
      names.push_back(seed_name(seeds.back()));
      table += csv_field(its.folder + "/" + names.back()) + "," + csv_field(its.name) + "\n";
    }
    const std::vector<Picture> pictures = generator.draw(label, seeds);
    folder.write(
        names, [&](std::size_t i) { return pictures[i]; },
        [&](std::size_t i) { return texts_of(request, generator, its.name, seeds[i]); });
    done += std::ssize(seeds);
    if (request.on_pictures) {
      request.on_pictures(done, all);
    }
  }
  folder.sync();
  return true;
}

bool is_control(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code < 32 || code == 127;
}

}  // namespace

std::vector<std::string> class_folders(const std::vector<std::string>& classes) {
  std::vector<std::string> folders;
  std::set<std::string> taken = {kLabels, kProvenance};
  for (const std::string& name : classes) {
    std::string folder = name;
    std::replace_if(
        folder.begin(), folder.end(), [](char c) { return c == '/' || c == '\\' || is_control(c); }, '-');
    if (folder.empty() || folder[0] == '.') {
      folder = std::string("_").append(folder, folder.empty() ? 0 : 1);
    }
    std::string free = folder;
    for (int number = 2; !taken.insert(in_lower_case(free)).second; ++number) {
      free = fmt::format("{}-{}", folder, number);
    }
    folders.push_back(free);
  }
  return folders;
}

std::vector<std::int64_t> filling_counts(const std::vector<std::int64_t>& counts) {
  const std::int64_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
  std::vector<std::int64_t> missing;
  for (const std::int64_t count : counts) {
    missing.push_back(most - count);
  }
  return missing;
}

std::optional<TrainingSet> make_training_set(const TrainingSetRequest& request) {
  const fs::path out = place_of(request);
  Context context = make_context(request.where);
  ClassGenerator generator(context, request.run, request.step);
  TrainingSet set;
  set.step = generator.step();
  set.weights = generator.weights();
  set.classes = plan_classes(request, generator);
  std::int64_t most = 0;
  for (const TrainingSet::Class& each : set.classes) {
    set.pictures += each.pictures;
    most = std::max(most, each.pictures);
  }
  if (most == 0) {
    throw_error(Error::Kind::usage, "{}: every class of the data has {} pictures, so --fill has nothing to fill",
                request.run, set.classes[0].real.value_or(0));
  }
  const std::uint64_t span = static_cast<std::uint64_t>(most) * set.classes.size();
  if (request.seed > std::numeric_limits<std::uint64_t>::max() - span) {
    throw_error(Error::Kind::usage, "--seed {}: so many pictures need {} seeds from there on, and the last one is {}",
                request.seed, span, std::numeric_limits<std::uint64_t>::max());
  }
  const InterruptGuard guard;
  AtomicFolder folder(out);
  std::string table = "file,label\n";
  std::int64_t done = 0;
  for (std::size_t label = 0; label < set.classes.size(); ++label) {
    const TrainingSet::Class& its = set.classes[label];
    if (its.pictures > 0 && !write_class(request, generator, label, its, folder.path(), table, done, set.pictures)) {
      return std::nullopt;
    }
  }
  write_file_atomically(folder.path() / kLabels, table);
  write_file_atomically(folder.path() / kProvenance, provenance_of(request, generator, set));
  folder.publish();
  return set;
}

}  // namespace duel

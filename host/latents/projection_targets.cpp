#include "host/latents/projection_targets.h"

#include "host/latents/training_neighbours.h"

#include "host/data/open_dataset.h"
#include "host/data/photograph_source.h"
#include "host/sample/picture_files.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace duel {

namespace {

// How the run takes photographs; none where it was trained on what are none.
std::optional<PictureForm> form_of(const LatentRun& run) {
  Options::Data data = run.options().data;
  if (!is_of_photographs(data.source)) {
    return std::nullopt;
  }
  const Shape& picture = run.picture();
  data.size = fmt::format("{}x{}", picture[2], picture[1]);
  data.alpha = picture[3] == 4 ? "keep" : "flatten";
  data.colour = picture[3] == 1 ? "grey" : "colour";
  return picture_form(data);
}

// A name that any file system takes, and that no other has.
std::string free_name(const std::string& file, std::set<std::string>& taken) {
  std::string name = std::filesystem::path(file).stem().string();
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '_' && c != '.' && c < 128; }, '-');
  if (name.empty() || name[0] == '.') {
    name = "picture" + name;
  }
  std::string free = name;
  for (int number = 2; !taken.insert(free).second; ++number) {
    free = fmt::format("{}-{}", name, number);
  }
  return free;
}

int label_in(const std::vector<std::string>& classes, const Source& source, std::int64_t row) {
  if (classes.empty() || !has_field(source, "label")) {
    return -1;
  }
  std::int32_t label = -1;
  source.read(row, field_index(source, "label"), reinterpret_cast<std::byte*>(&label));
  const std::string& name = field_named(source, "label").names[static_cast<std::size_t>(label)];
  const auto found = std::find(classes.begin(), classes.end(), name);
  return found == classes.end() ? -1 : static_cast<int>(found - classes.begin());
}

void add_rows(const LatentRun& run, const Source& source, int count, bool is_training,
              std::vector<ProjectionTarget>& targets) {
  const char* option = is_training ? "--training" : "--held-out";
  if (count > source.count()) {
    throw_error(Error::Kind::usage, "{} {}: {} has {} such pictures", option, count, source.name(), source.count());
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = i * source.count() / count;
    ProjectionTarget target;
    target.name = fmt::format("{}_{:07}", is_training ? "training" : "held_out", row);
    target.file = fmt::format("{} picture {}", is_training ? "training" : "held-out", row);
    target.fold = is_training ? "training" : "held out";
    target.label = label_in(run.classes(), source, row);
    target.picture = picture_at(source, row);
    targets.push_back(std::move(target));
  }
}

void check_count(std::size_t count) {
  if (count > kMostProjected) {
    throw_error(Error::Kind::usage, "project: more than {} pictures are named; name fewer at once", kMostProjected);
  }
}

}  // namespace

RunData open_run_data(const LatentRun& run, const ProjectionRequest& request) {
  RunData result;
  try {
    result.data = open_dataset(run.options().data, {request.where.threads, request.progress});
    const Source& training = main_source(result.data);
    const Shape there = picture_shape(training), here = run.picture();
    if (there != here) {
      throw_error(Error::Kind::data,
                  "{}: its pictures are of {}x{} pixels with {} channels by now, but {} draws {}x{} "
                  "with {}",
                  training.name(), there[2], there[1], there[3], run.name(), here[2], here[1], here[3]);
    }
    result.held_out = open_held_out(run.options().data, training);
  } catch (const Error& error) {
    if (request.training + request.held_out > 0 ||
        (error.kind() != Error::Kind::data && error.kind() != Error::Kind::usage)) {
      throw;
    }
    result.data.clear();
    result.fault = error.what();
  }
  return result;
}

std::vector<ProjectionTarget> projection_targets(const LatentRun& run, const RunData& data,
                                                 const ProjectionRequest& request, std::vector<SkippedFile>& unread) {
  std::vector<ProjectionTarget> targets;
  std::set<std::string> names = {"all", "latents"};
  const Shape& shape = run.picture();
  if (!request.photographs.empty()) {
    PictureFiles files(request.photographs, {shape, form_of(run), run.threads()});
    files.read(kMostProjected, [&](std::span<const std::string> read, std::span<const std::uint8_t> pixels) {
      const auto bytes = static_cast<std::size_t>(shape.count());
      check_count(targets.size() + read.size());
      for (std::size_t i = 0; i < read.size(); ++i) {
        const auto its = pixels.subspan(i * bytes, bytes);
        targets.push_back(
            {free_name(read[i], names), read[i], "", -1, {shape[1], shape[2], shape[3], {its.begin(), its.end()}}});
      }
    });
    unread = files.unread();
  }
  if (request.training > 0) {
    add_rows(run, *data.training(), request.training, true, targets);
  }
  if (request.held_out > 0) {
    if (!data.held_out) {
      throw_error(Error::Kind::usage, "--held-out {}: {} holds no pictures out of training", request.held_out,
                  data.training()->name());
    }
    add_rows(run, *data.held_out, request.held_out, false, targets);
  }
  check_count(targets.size());
  return targets;
}

}  // namespace duel

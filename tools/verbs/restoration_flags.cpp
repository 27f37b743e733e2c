#include "tools/verbs/restoration_flags.h"

#include "tools/verbs/decoding_line.h"
#include "tools/verbs/value_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const RestoredPhotographs& restored, const RestorePhotographs& request) {
  Json pictures = Json::array(), skipped = Json::array();
  for (const RestoredPhotograph& each : restored.pictures) {
    Json picture = {{"file", each.file}, {"out", each.out}, {"width", each.width}, {"height", each.height}};
    if (!each.converted.empty()) {
      picture["converted_from"] = each.converted;
    }
    pictures.push_back(picture);
  }
  for (const SkippedFile& each : restored.skipped) {
    skipped.push_back({{"file", each.file}, {"reason", each.reason}});
  }
  return {{"run", request.run},       {"step", restored.step},
          {"scale", restored.scale},  {"tile", {restored.tile.width, restored.tile.height}},
          {"pictures", pictures},     {"skipped", skipped},
          {"sheets", restored.sheets}};
}

// One line for all of them, which names the first; --json has every one.
void tell_converted(const RestoredPhotographs& restored) {
  constexpr std::size_t kNamed = 3;
  std::vector<std::string> files;
  for (const RestoredPhotograph& each : restored.pictures) {
    if (!each.converted.empty()) {
      files.push_back(fmt::format("{} ({})", each.file, each.converted));
    }
  }
  if (files.empty()) {
    return;
  }
  const std::size_t more = files.size() - std::min(files.size(), kNamed);
  files.resize(files.size() - more);
  fmt::print(stderr, "converted to {}: {}{}\n", restored.became, fmt::join(files, ", "),
             more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace

void RestorationFlags::declare(CLI::App& verb, const char* trained_by) {
  verb.add_option("FILES", request_.files,
                  "photographs (JPEG, PNG, WebP, TIFF) of any size, and folders of them, whose order is kept")
      ->required();
  add_text(verb, "--run", request_.run, fmt::format("folder of the run, trained with --preset {}", trained_by))
      ->required();
  add_text(verb, "--out", request_.out, "folder for what they become, by their names")->required();
  step_.declare(verb);
  add_integer(
      verb, "--tile", request_.tile, 0, 8192,
      "side of the parts that pass through the network, in pixels of the photograph; 0: the size of the pictures "
      "that it was trained on, and a multiple of 128 or more where these were parts of pictures");
  verb.add_flag("--sheet", request_.draws_sheets, "also sheets of a detail of each before and after");
  device_.declare(verb);
  verb.add_flag("--json", json_, "for programs");
}

void RestorationFlags::declare_job(CLI::App& verb) {
  add_text(verb, "--job", request_.job,
           "of a run that was trained on several degradations (--degrade all): the one to undo, such as noise or jpeg");
}

void RestorationFlags::declare_mask(CLI::App& verb) {
  add_text(
      verb, "--mask", request_.mask,
      "picture of the photographs' size, white where pixels are missing; otherwise those that are transparent are");
}

int RestorationFlags::run() {
  request_.step = step_.resolve(request_.run);
  request_.where = device_.resolve();
  request_.progress = show_decoding();
  const RestoredPhotographs restored = restore_photographs(request_);
  if (json_) {
    fmt::print("{}\n", to_json(restored, request_).dump(2));
  } else {
    fmt::print("{}: {} photographs by step {}\n", request_.out, restored.pictures.size(), restored.step);
  }
  tell_converted(restored);
  for (const SkippedFile& each : restored.skipped) {
    fmt::print(stderr, "{}: {}\n", each.file, each.reason);
  }
  return restored.skipped.empty() ? 0 : static_cast<int>(Error::Kind::data);
}

}  // namespace duel

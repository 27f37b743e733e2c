// The report of a data set for programs.
#include "host/data/data_report.h"

#include <nlohmann/json.hpp>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json files_json(const DataReport::Files& files) {
  Json skipped = Json::array();
  for (const SkippedFile& file : files.skipped) {
    skipped.push_back({{"file", file.file}, {"reason", file.reason}});
  }
  const auto size = [](const DataReport::Extent& extent) { return Json{extent.width, extent.height}; };
  return {{"skipped", skipped},           {"formats", files.formats},
          {"no_pictures", files.others},  {"smallest", size(files.smallest)},
          {"median", size(files.median)}, {"largest", size(files.largest)},
          {"landscape", files.landscape}, {"portrait", files.portrait},
          {"square", files.square},       {"enlarged", files.enlarged},
          {"grey", files.grey},           {"with_opacity", files.with_alpha},
          {"animated", files.animated},   {"mean_share_cut", files.cut},
          {"copies", files.exact},        {"copies_of_several_classes", files.contradictory},
          {"look_alike", files.near},     {"attributes", files.attributes},
          {"notes", files.notes},         {"cache", files.cache}};
}

}  // namespace

std::string to_json(const DataReport& report) {
  Json classes = Json::array();
  for (const DataReport::Class& each : report.classes) {
    classes.push_back({{"name", each.name}, {"train", each.training}, {"held_out", each.held_out}});
  }
  Json object = {{"data", report.name},         {"train", report.training},
                 {"held_out", report.held_out}, {"picture", {report.picture[1], report.picture[2], report.picture[3]}},
                 {"classes", classes},          {"advice", report.advice}};
  if (report.has_files) {
    object["files"] = files_json(report.files);
  }
  // Names of files need not be UTF-8; what is not becomes U+FFFD.
  return object.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace duel

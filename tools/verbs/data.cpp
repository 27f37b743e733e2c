// `duel data`: what a person should know of a folder of pictures before training on it.
#include "host/data/data_report.h"
#include "host/data/open_dataset.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const DataReport::Files& files) {
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

Json to_json(const DataReport& report) {
  Json classes = Json::array();
  for (const DataReport::Class& each : report.classes) {
    classes.push_back({{"name", each.name}, {"train", each.training}, {"held_out", each.held_out}});
  }
  Json object = {{"data", report.name},         {"train", report.training},
                 {"held_out", report.held_out}, {"picture", {report.picture[1], report.picture[2], report.picture[3]}},
                 {"classes", classes},          {"advice", report.advice}};
  if (report.has_files) {
    object["files"] = to_json(report.files);
  }
  return object;
}

}  // namespace

void add_data(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("data", "Report on a folder of pictures: classes, sizes, faults, duplicates");
  auto options = std::make_shared<Options>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("SOURCE", options->data.source, "the folder, or fashion-mnist or synthetic")->required();
  add_key(*verb, "--size", *options, "data.size", "WxH, what photographs are brought to; auto: 64x64");
  add_key(*verb, "--fit", *options, "data.fit", "cover, contain or pad");
  add_key(*verb, "--background", *options, "data.background",
          "RRGGBB, of bars and behind transparency; auto: their own");
  add_key(*verb, "--alpha", *options, "data.alpha", "flatten, or keep as a fourth channel");
  add_key(*verb, "--colour", *options, "data.colour", "auto, grey or colour");
  add_key(*verb, "--held-out", *options, "data.held_out", "percent that are kept out of training");
  add_key(*verb, "--threads", *options, "threads", "CPU threads that decode; 0: as many as may be used");
  verb->add_flag("--json", *json, "for programs");
  verb->callback([options, json, &exit_code] {
    const Data data = open_dataset(options->data, {options->threads, show_decoding()});
    const Source& main = main_source(data);
    const DataReport report = report_data(main, open_held_out(options->data, main).get(), options->recipe);
    if (*json) {
      // Names of files need not be UTF-8; what is not becomes U+FFFD.
      fmt::print("{}\n", to_json(report).dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
      fmt::print("{}", to_text(report));
    }
    exit_code = 0;
  });
}

}  // namespace duel

// `duel data`: what a person should know of a folder of pictures before training on it.
#include "host/data/data_report.h"
#include "host/data/open_dataset.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>

#include <memory>

namespace duel {

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
      fmt::print("{}\n", to_json(report));
    } else {
      fmt::print("{}", to_text(report));
    }
    exit_code = 0;
  });
}

}  // namespace duel

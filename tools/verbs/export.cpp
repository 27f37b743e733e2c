#include "host/export/export_run.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>

namespace duel {

void add_export(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("export", "Write a network of a run as a file that other programs load");
  auto request = std::make_shared<ExportRequest>();
  request->version = DUEL_VERSION;
  auto step = std::make_shared<StepFlag>();
  auto json = std::make_shared<bool>(false);
  add_text(*verb, "--run", request->run, "folder of the run")->required();
  add_text(*verb, "--to", request->to, "FILE.onnx, the whole network; or FILE.safetensors, its weights")->required();
  add_text(*verb, "--network", request->network,
           "discriminator, encoder..: another one than that which draws, or of a classifier answers");
  step->declare(*verb);
  verb->add_flag("--raw", request->raw, "the weights as trained, not their moving average");
  verb->add_flag("--mixes", request->mixes,
                 "of a run by class, in ONNX: takes the share of each class, so that pictures may lie between some, "
                 "instead of the number of one");
  verb->add_flag("--force", request->force, "write in the place of a file that is there");
  verb->add_flag("--json", *json, "for programs");
  verb->callback([request, step, json, &exit_code] {
    request->step = step->resolve(request->run);
    const Exported made = export_run(*request);
    if (*json) {
      fmt::print("{}\n", nlohmann::ordered_json{{"file", request->to},
                                                {"network", made.network},
                                                {"step", made.step},
                                                {"bytes", made.bytes},
                                                {"weights", made.weights},
                                                {"inputs", made.inputs},
                                                {"outputs", made.outputs}}
                             .dump(2));
    } else {
      fmt::print("{}: the {} of step {}, {} weights\n", request->to, made.network, made.step, made.weights);
      for (const std::string& input : made.inputs) {
        fmt::print("  takes {}\n", input);
      }
      for (const std::string& output : made.outputs) {
        fmt::print("  makes {}\n", output);
      }
    }
    exit_code = 0;
  });
}

}  // namespace duel

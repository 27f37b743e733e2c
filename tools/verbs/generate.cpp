#include "host/sample/generate.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/step_flag.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <memory>

namespace duel {

void add_generate(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("generate", "Make pictures with the generator of a run");
  auto request = std::make_shared<GenerateRequest>();
  auto step = std::make_shared<StepFlag>();
  auto device = std::make_shared<DeviceFlags>();
  auto json = std::make_shared<bool>(false);
  add_text(*verb, "--run", request->run, "folder of the run")->required();
  add_text(*verb, "--out", request->out, "folder for pictures, or with --grid the PNG file")->required();
  CLI::Option* count =
      add_integer(*verb, "--count", request->count, 1, kMostPictures, "pictures of --seed, one PNG each");
  CLI::Option* seeds = add_text(*verb, "--seeds", request->seeds,
                                "1,5,9-12: for each the picture that --seed N --count 1 makes, whatever the list");
  CLI::Option* way = add_text(*verb, "--interpolate", request->interpolate,
                              "3,8 or more seeds: pictures on the way from each one's to the next one's");
  CLI::Option* between = add_integer(*verb, "--steps-between", request->steps_between, 0, 10'000,
                                     "pictures between two of --interpolate; 8 where it is not given");
  CLI::Option* latents =
      add_text(*verb, "--latents", request->latents, "file of latents, as `duel project` writes it: a picture of each");
  CLI::Option* grid = add_text(*verb, "--grid", request->grid, "ROWSxCOLUMNS: one sheet instead, filled row by row");
  CLI::Option* clear = verb->add_flag("--clear", request->clear, "remove pictures that an earlier call left in --out");
  CLI::Option* classes =
      verb->add_option(
              "--class", request->classes.names,
              "class of the pictures, by name; several with commas between them take turns, of a sheet its rows")
          ->expected(1)
          ->take_all();
  CLI::Option* mix = add_text(*verb, "--class-mix", request->classes.mix,
                              "sneaker:0.5,ankle boot:0.5: pictures between classes, by their shares");
  classes->excludes(mix);
  CLI::Option* seed =
      add_integer(*verb, "--seed", request->seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                  "of the latents: the same seed gives the same bytes");
  count->excludes(grid)->excludes(seeds)->excludes(way);
  seeds->excludes(way)->excludes(seed);
  way->excludes(seed);
  latents->excludes(count)->excludes(seeds)->excludes(way)->excludes(seed);
  between->needs(way);
  clear->excludes(grid);
  step->declare(*verb);
  verb->add_flag("--raw", request->raw, "the generator as trained, not its moving average");
  device->declare(*verb);
  verb->add_flag("--json", *json, "for programs");
  verb->callback([request, step, device, json, &exit_code] {
    request->step = step->resolve(request->run);
    request->where = device->resolve();
    const Generated made = generate(*request);
    if (*json) {
      fmt::print("{}\n",
                 nlohmann::ordered_json{{"out", request->out}, {"pictures", made.count}, {"step", made.step}}.dump(2));
    } else {
      fmt::print("{}: {} pictures of step {}\n", request->out, made.count, made.step);
    }
    exit_code = 0;
  });
}

}  // namespace duel

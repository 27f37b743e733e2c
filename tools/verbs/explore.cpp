// `duel explore`: what the latents of a generator hold.
#include "host/latents/explore.h"

#include "host/run/interrupt.h"
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

namespace {

nlohmann::ordered_json to_json(const Exploration& exploration, const std::string& out) {
  nlohmann::ordered_json kinds = nlohmann::ordered_json::object();
  for (const Exploration::Kind& kind : exploration.kinds) {
    kinds[kind.name] = kind.shares;
  }
  return {{"run", exploration.run},
          {"step", exploration.step},
          {"weights", exploration.weights},
          {"latent", exploration.latent},
          {"layer", exploration.layer},
          {"out", out},
          {"shares", kinds},
          {"files", exploration.files},
          {"notes", exploration.notes}};
}

}  // namespace

void add_explore(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("explore", "Show what the latents of a run's generator hold");
  auto request = std::make_shared<ExplorationRequest>();
  auto step = std::make_shared<StepFlag>();
  auto device = std::make_shared<DeviceFlags>();
  auto json = std::make_shared<bool>(false);
  add_text(*verb, "--run", request->run, "folder of the run")->required();
  add_text(*verb, "--out", request->out, "new folder for sheets and an animation")->required();
  add_integer(*verb, "--directions", request->directions, 1, kMostDirections,
              "of each kind (SeFa, principal components); 8 where it is not given");
  add_real(*verb, "--span", request->span, 0.1, 20, "standard deviations to both sides; 3 where it is not given");
  add_real(*verb, "--truncation", request->truncation, 0, 4, "latents are multiplied by it; 1 where it is not given");
  add_text(*verb, "--way", request->way, "between latents: slerp, on a great circle (the default), or linear");
  add_integer(*verb, "--ways", request->ways, 2, 64, "latents that the animation leads past; 4 where it is not given");
  add_integer(*verb, "--frames", request->frames, 2, kMostWayFrames,
              "of the animation from one latent to the next; 16 where it is not given");
  add_text(*verb, "--class", request->class_name, "of a run by class: which one the directions are shown with");
  add_integer(*verb, "--seed", request->seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
              "of the latents: the same seed gives the same bytes");
  step->declare(*verb);
  verb->add_flag("--raw", request->raw, "the generator as trained, not its moving average");
  device->declare(*verb);
  verb->add_flag("--json", *json, "for programs");
  verb->callback([request, step, device, json, &exit_code] {
    request->step = step->resolve(request->run);
    request->where = device->resolve();
    const std::optional<Exploration> exploration = explore(*request);
    if (!exploration) {
      exit_code = kInterruptedExitCode;
      return;
    }
    fmt::print("{}", *json ? to_json(*exploration, request->out).dump(2) + "\n" : to_text(*exploration, request->out));
    exit_code = 0;
  });
}

}  // namespace duel

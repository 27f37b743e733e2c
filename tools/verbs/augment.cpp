// `duel augment`: generated pictures by class as a training set.
#include "host/augment/training_set.h"

#include "host/run/interrupt.h"
#include "kernels/check.h"
#include "tools/verbs/decoding_line.h"
#include "tools/verbs/device_flags.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <memory>

namespace duel {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const TrainingSet& set, const std::string& out) {
  Json classes = Json::array();
  for (const TrainingSet::Class& each : set.classes) {
    classes.push_back({{"name", each.name},
                       {"folder", each.folder},
                       {"pictures", each.pictures},
                       {"real_training_pictures", each.real ? Json(*each.real) : Json(nullptr)}});
  }
  return {{"out", out}, {"pictures", set.pictures}, {"step", set.step}, {"weights", set.weights}, {"classes", classes}};
}

std::string to_text(const TrainingSet& set, const std::string& out) {
  std::string text = fmt::format("{}: {} pictures of step {}, weights {}\n", out, set.pictures, set.step, set.weights);
  for (const TrainingSet::Class& each : set.classes) {
    text += fmt::format("  {:<20} {:>8}{}\n", each.name, each.pictures,
                        each.real ? fmt::format(" beside {} real ones", *each.real) : "");
  }
  return text;
}

struct Augment {
  TrainingSetRequest request;
  DeviceFlags device;
  std::int64_t step = 0;
  CLI::Option* at_step = nullptr;
  bool json = false;

  void declare(CLI::App& verb);
  int run();
};

void Augment::declare(CLI::App& verb) {
  constexpr std::int64_t kMostSteps = 1'000'000'000'000;
  constexpr int kMostOfAClass = 1'000'000;
  add_text(verb, "--run", request.run, "folder of a run by class")->required();
  add_text(verb, "--out", request.out, "folder for the set: a sub-folder a class, labels.csv, provenance.json")
      ->required();
  CLI::Option* per_class =
      add_integer(verb, "--per-class", request.per_class, 1, kMostOfAClass, "pictures of each class");
  CLI::Option* fill =
      verb.add_flag("--fill", request.fill, "of each class what its real pictures lack to the largest class's number");
  per_class->excludes(fill);
  CLI::Option* data = add_text(verb, "--data", request.data, "the real pictures; otherwise those it was trained on");
  data->needs(fill);
  verb.add_flag("--clear", request.clear, "replace a set that an earlier call left in --out");
  add_integer(verb, "--seed", request.seed, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
              "of the first picture; each has a seed of its own");
  at_step =
      add_integer(verb, "--step", step, std::int64_t{0}, kMostSteps, "of the run's checkpoint; otherwise the latest");
  device.declare(verb);
  verb.add_flag("--json", json, "for programs");
}

int Augment::run() {
  if (request.per_class == 0 && !request.fill) {
    throw_error(Error::Kind::usage, "augment: say how many pictures, by --per-class N or --fill");
  }
  if (at_step->count() > 0) {
    request.step = step;
  }
  request.where = device.resolve();
  request.version = DUEL_VERSION;
  request.progress = show_decoding();
  const std::optional<TrainingSet> set = make_training_set(request);
  if (!set) {
    return kInterruptedExitCode;
  }
  fmt::print("{}", json ? to_json(*set, request.out).dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                        : to_text(*set, request.out));
  return 0;
}

}  // namespace

void add_augment(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("augment", "Make a training set by class with the generator of a run");
  auto augment = std::make_shared<Augment>();
  augment->declare(*verb);
  verb->callback([augment, &exit_code] { exit_code = augment->run(); });
}

}  // namespace duel

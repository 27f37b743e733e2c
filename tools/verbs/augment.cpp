// `duel augment`: generated pictures by class as a training set, and whether
// they are worth it.
#include "host/augment/proof.h"
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

Json to_json(const Proof& proof) {
  Json cells = Json::array();
  for (const ProofCell& cell : proof.cells) {
    const MeanAndSpread its = mean_and_spread(cell.accuracies);
    cells.push_back({{"arm", cell.arm},
                     {"percent_of_real", cell.percent},
                     {"real", cell.real},
                     {"generated", cell.generated},
                     {"mean", its.mean},
                     {"deviation", its.deviation},
                     {"accuracies", cell.accuracies}});
  }
  return {{"preset", proof.preset},
          {"steps", proof.steps},
          {"batch", proof.batch},
          {"tested", proof.tested},
          {"classic", {{"flip", proof.flip}, {"shift", proof.shift}, {"policy", proof.policy}}},
          {"cells", cells},
          {"note", proof.note},
          {"verdict", proof.verdict}};
}

struct Augment {
  ProofRequest proof;
  TrainingSetRequest& request = proof.set;
  bool is_to_prove = false;
  DeviceFlags device;
  std::int64_t step = 0;
  CLI::Option* at_step = nullptr;
  bool json = false;

  void declare(CLI::App& verb);
  int run();
};

void Augment::declare(CLI::App& verb) {
  constexpr int kMostOfAClass = 1'000'000;
  add_text(verb, "--run", request.run, "folder of a run by class")->required();
  add_text(verb, "--out", request.out, "folder for the set: a sub-folder a class, labels.csv, provenance.json");
  CLI::Option* per_class =
      add_integer(verb, "--per-class", request.per_class, 1, kMostOfAClass, "pictures of each class");
  CLI::Option* fill = verb.add_flag("--fill", request.fill,
                                    "of each class what its real pictures lack "
                                    "to the largest class's number");
  per_class->excludes(fill);
  add_text(verb, "--data", request.data,
           "the real pictures, of --fill and --prove; otherwise those it was "
           "trained on");
  CLI::Option* prove = verb.add_flag("--prove", is_to_prove,
                                     "train classifiers with the pictures and without, and say "
                                     "whether they are worth it");
  add_integer(verb, "--seeds", proof.seeds, 1, 1000, "of --prove: trainings of each kind; 5 where it is not given")
      ->needs(prove);
  add_integer(verb, "--steps", proof.steps, std::int64_t{1}, kMostSteps,
              "of --prove: of each training; otherwise as the classifier's "
              "preset has it for all the data")
      ->needs(prove);
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
  if (request.out.empty() && !is_to_prove) {
    throw_error(Error::Kind::usage,
                "augment: name a folder for the pictures "
                "by --out, or ask by --prove what they are "
                "worth");
  }
  if (at_step->count() > 0) {
    request.step = step;
  }
  request.where = device.resolve();
  request.version = DUEL_VERSION;
  request.progress = show_decoding();
  Json found = Json::object();
  if (!request.out.empty()) {
    const std::optional<TrainingSet> set = make_training_set(request);
    if (!set) {
      return kInterruptedExitCode;
    }
    found = to_json(*set, request.out);
    fmt::print("{}", json ? "" : to_text(*set, request.out));
  }
  if (is_to_prove) {
    proof.on_training = [](int done, int all, const std::string& what) {
      fmt::print(stderr, "{}/{}: {}\n", done, all, what);
    };
    const std::optional<Proof> result = prove(proof);
    if (!result) {
      return kInterruptedExitCode;
    }
    found["proof"] = to_json(*result);
    fmt::print("{}", json ? "" : to_text(*result));
  }
  if (json) {
    fmt::print("{}\n", found.dump(2, ' ', false, Json::error_handler_t::replace));
  }
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

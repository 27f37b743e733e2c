#include "host/bench/step_listing.h"
#include "host/config/configuration.h"
#include "host/config/preset_files.h"
#include "host/data/open_dataset.h"
#include "host/device/choice_cache.h"
#include "host/device/default_threads.h"
#include "host/evaluate/onnx_network.h"
#include "host/files/atomic_file.h"
#include "host/recipes/registry.h"
#include "host/run/checkpoint_manifest.h"
#include "host/run/run_directory.h"
#include "host/run/weights_hash.h"
#include "kernels/check.h"
#include "kernels/context.h"
#include "tools/verbs/program_listing.h"
#include "tools/verbs/value_flags.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace duel {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

Facts facts() {
  Facts list = {{"duel", DUEL_VERSION},
                {"build", DUEL_BUILD},
                {"compiler", DUEL_COMPILER},
                {"backends", Context::has_cuda() ? "cpu cuda" : "cpu"}};
  const DefaultThreads usual = default_threads();
  for (auto& fact : Context::cpu(usual.threads).describe()) {
    list.push_back(std::move(fact));
  }
  list.emplace_back("CPU threads decided by", usual.why);
  const Context::CudaDevices gpus = Context::cuda_devices();
  for (std::size_t i = 0; i < gpus.names.size(); ++i) {
    list.emplace_back(fmt::format("cuda:{}", i), gpus.names[i]);
  }
  if (gpus.names.empty()) {
    list.emplace_back("gpu", "none: " + gpus.why_none);
  }
  const ChoiceCache choices(ChoiceCache::default_path());
  for (const auto& [device, count] : choices.devices()) {
    list.emplace_back("kernel choices of " + device, fmt::format("{}, in {}", count, choices.file().string()));
  }
  list.emplace_back("libraries", DUEL_LIBRARIES);
  const OnnxLibrary onnx = onnx_library();
  list.emplace_back("ONNX files", onnx.is_usable ? onnx.text : "none: " + onnx.text);
  return list;
}

// What of the verb's words asks for a configuration, or for the program that is recorded for it.
struct ConfigurationFlags {
  std::string preset, file;
  std::vector<std::string> settings;
  bool is_unfused = false;
  CLI::Option* configuration = nullptr;
  CLI::Option* program = nullptr;

  void declare(CLI::App& verb) {
    configuration = verb.add_option("--configuration", preset, "print every key's value in this preset, as TOML")
                        ->expected(0, 1)
                        ->option_text("[PRESET]");
    program = verb.add_option("--program", preset, "print a training step's program, node by node, of this preset")
                  ->expected(0, 1)
                  ->option_text("[PRESET]")
                  ->excludes(configuration);
    add_text(verb, "--config", file, "of either: a TOML file, as for duel train");
    verb.add_option("--set", settings, "of either: key=value, as for duel train; may be repeated")
        ->take_all()
        ->allow_extra_args(false);
    verb.add_flag("--unfused", is_unfused, "--program: as it was recorded, before operators are fused")->needs(program);
  }

  bool is_configuration() const { return configuration->count() > 0; }
  bool is_program() const { return program->count() > 0; }

  void check_needed() const {
    if (!is_configuration() && !is_program() && (!file.empty() || !settings.empty())) {
      throw_error(Error::Kind::usage, "{} needs --configuration or --program", file.empty() ? "--set" : "--config");
    }
  }

  Options options() const {
    std::vector<Setting> parsed;
    std::transform(settings.begin(), settings.end(), std::back_inserter(parsed), parse_setting);
    Options options = resolve_options(preset, file, parsed);
    validate(options);
    return options;
  }

  std::vector<ListedPhase> listing() const {
    const Options all = options();
    return list_step(all, open_dataset(all.data), !is_unfused);
  }
};

Facts run_facts(const std::string& folder) {
  const RunDirectory run = RunDirectory::open_for_reading(folder);
  const std::int64_t step = run.require_latest_checkpoint();
  const std::filesystem::path checkpoint = run.checkpoint_path(step), config = run.config_path(checkpoint);
  const Options options = options_from_toml(read_text_file(config), config.string());
  const CheckpointState state = read_manifest(checkpoint);
  Facts list = {{"preset", options.preset},
                {"recipe", state.recipe},
                {"step", fmt::format("{}", step)},
                {"seed", fmt::format("{}", state.seed)},
                {"data", fmt::format("{}: {}", options.data.source, state.data)}};
  const std::unique_ptr<const Recipe> recipe = make_recipe(options, state.fields, total_steps(options, 1));
  for (const std::string& network : recipe->sampling().networks) {
    list.emplace_back("weights of " + network, weights_hash(checkpoint, network));
  }
  return list;
}

Facts preset_facts() {
  Facts list;
  for (const PresetFile& file : preset_files()) {
    list.emplace_back(file.name, preset_description(file.text));
  }
  return list;
}

void print_json(const Facts& list) {
  nlohmann::ordered_json object;
  for (const auto& [name, value] : list) {
    object[name] = value;
  }
  fmt::print("{}\n", object.dump(2));
}

void print_table(const Facts& list) {
  std::size_t width = 0;
  for (const auto& [name, value] : list) {
    width = std::max(width, std::min<std::size_t>(name.size(), 22));
  }
  for (const auto& [name, value] : list) {
    fmt::print("{:<{}} {}\n", name, width, value);
  }
}

}  // namespace

void add_info(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "info",
      "Print version, build, backends, CPU features, GPUs and libraries; a run; a configuration; or a recorded step");
  auto json = std::make_shared<bool>(false);
  auto presets = std::make_shared<bool>(false);
  auto run = std::make_shared<std::string>();
  verb->add_flag("--presets", *presets, "list the presets instead, with what each is");
  add_text(*verb, "--run", *run,
           "of a run instead: what it trains on what, and which weights its latest checkpoint has");
  verb->add_flag("--json", *json, "for programs");
  auto flags = std::make_shared<ConfigurationFlags>();
  flags->declare(*verb);
  verb->callback([json, presets, run, flags, &exit_code] {
    flags->check_needed();
    if (flags->is_configuration()) {
      fmt::print("{}", *json ? to_json(flags->options()) + "\n" : to_toml(flags->options()));
    } else if (flags->is_program()) {
      *json ? print_listing_json(flags->listing()) : print_listing(flags->listing());
    } else {
      const Facts list = !run->empty() ? run_facts(*run) : *presets ? preset_facts() : facts();
      *json ? print_json(list) : print_table(list);
    }
    exit_code = 0;
  });
}

}  // namespace duel

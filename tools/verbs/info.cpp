#include "host/config/preset_files.h"
#include "host/device/choice_cache.h"
#include "host/device/default_threads.h"
#include "kernels/context.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
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
  CLI::App* verb = app.add_subcommand("info", "Print version, build, backends, CPU features, GPUs and libraries");
  auto json = std::make_shared<bool>(false);
  auto presets = std::make_shared<bool>(false);
  verb->add_flag("--presets", *presets, "list the presets instead, with what each is");
  verb->add_flag("--json", *json, "for programs");
  verb->callback([json, presets, &exit_code] {
    const Facts list = *presets ? preset_facts() : facts();
    *json ? print_json(list) : print_table(list);
    exit_code = 0;
  });
}

}  // namespace duel

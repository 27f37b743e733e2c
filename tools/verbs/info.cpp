#include "host/device/choice_cache.h"
#include "host/device/default_threads.h"
#include "kernels/context.h"
#include "tools/verbs/verbs.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace duel {

namespace {

std::vector<std::pair<std::string, std::string>> facts() {
  std::vector<std::pair<std::string, std::string>> list = {{"duel", DUEL_VERSION},
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

}  // namespace

void add_info(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("info", "Print version, build, backends, CPU features, GPUs and libraries");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "for programs");
  verb->callback([json, &exit_code] {
    if (*json) {
      nlohmann::ordered_json object;
      for (const auto& [name, value] : facts()) {
        object[name] = value;
      }
      fmt::print("{}\n", object.dump(2));
    } else {
      for (const auto& [name, value] : facts()) {
        fmt::print("{:<22} {}\n", name, value);
      }
    }
    exit_code = 0;
  });
}

}  // namespace duel

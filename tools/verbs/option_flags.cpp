#include "tools/verbs/option_flags.h"

namespace duel {

void OptionFlags::declare(CLI::App& verb) {
  verb.add_option("--preset", preset_, "classic or steady (the default)");
  verb.add_option("--config", config_, "a TOML file with any of the keys that `duel train --help-keys` lists");
  verb.add_option("--set", settings_, "key=value, for example --set loss.kind=hinge; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  const auto named = [&](const std::string& flag, const std::string& key, const std::string& help, bool is_text) {
    verb.add_option_function<std::string>(
            flag,
            [this, key, is_text](const std::string& value) {
              named_.emplace_back(key, is_text ? "\"" + value + "\"" : value);
            },
            help + " (" + key + ")")
        ->take_last();
  };
  named("--data", "data.source", "fashion-mnist, synthetic, or a folder of IDX files", true);
  named("--device", "device", "auto, cpu, cuda or cuda:N", true);
  named("--precision", "precision", "fp32, tf32 or bf16", true);
  named("--kernels", "kernels", "whose matrix products and convolutions: auto, ours or vendor", true);
  named("--threads", "threads", "CPU threads; 0: as many as may be used", false);
  named("--seed", "seed", "of weights, noise and the order of the pictures", false);
  named("--residency", "schedule.residency", "of the pictures: auto, device or stream", true);
  named("--steps-per-launch", "schedule.steps_per_launch", "steps that a GPU is given at once; 0: measured", false);
  named("--lanes", "schedule.lanes", "1 or 2, for operators that a GPU may run side by side; 0: measured", false);
  verb.add_flag_callback(
      "--no-graph", [this] { named_.emplace_back("schedule.launch", "\"eager\""); },
      "on a GPU, operator by operator instead of captured steps (schedule.launch)");
  named("--batch", "train.batch", "pictures a step", false);
  named("--steps", "train.steps", "steps to train in all", false);
  named("--epochs", "train.epochs", "passes over the data, where no steps are given", false);
}

Options OptionFlags::resolve(const std::string& base) const {
  std::vector<std::string> settings = settings_;
  for (const auto& [key, value] : named_) {
    settings.push_back(key + "=" + value);
    if (key == "train.epochs") {
      settings.emplace_back("train.steps=0");  // asked for by epochs, whatever a file said of steps
    }
  }
  return resolve_options(preset_, base.empty() ? config_ : base, settings);
}

}  // namespace duel

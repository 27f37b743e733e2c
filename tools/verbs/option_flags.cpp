#include "tools/verbs/option_flags.h"

#include "host/config/configuration.h"
#include "host/config/preset_files.h"
#include "host/data/open_dataset.h"
#include "host/train/perceptual_run.h"
#include "tools/verbs/value_flags.h"

#include <fmt/ranges.h>

namespace duel {

namespace {

constexpr const char* kClassify = "classify";

}  // namespace

void OptionFlags::declare(CLI::App& verb) {
  add_text(
      verb, "--preset", preset_,
      fmt::format("{} (`duel info --presets`), or a file NAME.toml; where none is given, photographs for a folder of "
                  "photographs, else {}; of these classify becomes classify-photographs",
                  fmt::join(preset_names(), ", "), Options().preset));
  add_text(verb, "--config", config_, "a TOML file with any of the keys that `duel train --help-keys` lists");
  verb.add_option("--set", settings_, "key=value, for example --set loss.kind=hinge; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
  const auto named = [&](const char* flag, const char* key, const char* help) { declare_key(verb, flag, key, help); };
  named("--data", "data.source", "a folder of photographs or of IDX files, fashion-mnist, or synthetic");
  named("--size", "data.size", "of photographs: WxH, what they are brought to; auto: 64x64");
  named("--fit", "data.fit", "of photographs: cover, contain or pad");
  named("--background", "data.background", "of photographs: RRGGBB, of bars and behind transparency; auto: their own");
  named("--alpha", "data.alpha", "of photographs: flatten, or keep as a fourth channel");
  named("--degrade", "data.degrade",
        "what pictures are spoilt by, for a network to restore: x2, x4, noise:S, blur:S, motion:N, jpeg:Q, hole:N, "
        "strokes, grey, edges; several with commas between, or all");
  named("--pairs", "data.pairs", "or a folder of what each photograph is to be made of, by the same names");
  named("--into", "data.into", "of cut and cyclegan: a folder of pictures of the kind that those of --data become");
  named("--device", "device", "auto, cpu, cuda or cuda:N");
  named("--precision", "precision", "fp32, tf32 or bf16");
  named("--kernels", "kernels", "whose matrix products and convolutions: auto, ours or vendor");
  named("--threads", "threads", "CPU threads; 0: as many as may be used");
  named("--seed", "seed", "of weights, noise and the order of the pictures");
  named("--residency", "schedule.residency", "of the pictures: auto, device or stream");
  named("--steps-per-launch", "schedule.steps_per_launch", "steps that a GPU is given at once; 0: measured");
  named("--lanes", "schedule.lanes", "1 or 2, for operators that a GPU may run side by side; 0: measured");
  verb.add_flag_callback(
      "--no-graph",
      [this] {
        named_.push_back({"--no-graph", "schedule.launch", "eager"});
      },
      "on a GPU, operator by operator instead of captured steps (schedule.launch)");
  named("--augment", "augment.policy", "what the discriminator's pictures go through: none, product or full");
  named("--batch", "train.batch", "pictures a step");
  named("--steps", "train.steps", "steps to train in all");
  named("--epochs", "train.epochs", "passes over the data, where no steps are given");
  named("--on-nonfinite", "train.on_nonfinite",
        "stop, or rollback to the last checkpoint with half the learning rates");
}

void OptionFlags::declare_evaluation(CLI::App& verb) {
  declare_key(verb, "--evaluate-every", "evaluate.every",
              "steps between evaluations of generated pictures, as `duel evaluate` makes them; 0: none");
  declare_key(verb, "--extractor", "evaluate.extractor", "of evaluations: classifier:RUN, onnx:FILE, pixels, or auto");
  declare_key(verb, "--keep-best", "evaluate.keep_best",
              "kid or frechet: the checkpoint with the least is kept, for `duel generate --step best`; none");
  declare_key(verb, "--stop-when", "evaluate.stop_when",
              "plateau: where evaluate.patience evaluations in turn found no new best; never");
}

void OptionFlags::declare_key(CLI::App& verb, const std::string& flag, const std::string& key,
                              const std::string& help) {
  verb.add_option_function<std::string>(
          flag,
          [this, flag, key](const std::string& value) {
            named_.push_back({flag, key, value});
          },
          fmt::format("{} ({})", help, key))
      ->take_last();
}

Options OptionFlags::resolve(const std::string& base) const {
  Options options = resolve_keys(base);
  if (base.empty() || options.perceptual.channels == 0) {  // a run that goes on has that network's weights
    describe_perceptual_run(options);
  }
  return options;
}

Options OptionFlags::resolve_keys(const std::string& base) const {
  std::vector<Setting> settings;
  for (const std::string& text : settings_) {
    settings.push_back(parse_setting(text));
  }
  for (const Setting& setting : named_) {
    settings.push_back(setting);
    if (setting.key == "train.epochs") {
      settings.push_back({setting.origin, "train.steps", "0"});  // asked for by epochs, whatever a file said of steps
    }
  }
  if (base.empty() && config_.empty() && (preset_.empty() || preset_ == kClassify)) {
    return resolve_by_data(settings);
  }
  return resolve_options(preset_, base.empty() ? config_ : base, settings);
}

Options OptionFlags::resolve_by_data(std::vector<Setting> settings) const {
  Options options = resolve_options(preset_, "", settings);
  const std::optional<PhotographFolder> photographs = photographs_of(options.data.source);
  if (!photographs) {
    return options;
  }
  if (preset_.empty() && photographs->classes.empty()) {
    settings.insert(settings.begin(), {"--data", "data.labels", "false"});  // a setting of it comes later, and holds
  }
  return resolve_options(preset_ == kClassify ? "classify-photographs" : "photographs", "", settings);
}

}  // namespace duel

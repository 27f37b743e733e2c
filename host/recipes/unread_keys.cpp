#include "host/recipes/unread_keys.h"

#include "host/config/option_changes.h"
#include "host/config/presets.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace duel {

namespace {

// Who reads the keys that not every recipe reads: each a key, or the beginning of several.
struct Reader {
  std::string_view recipe, networks;  // networks: "" for any
  std::vector<std::string_view> keys;
  bool (*reads)(const Options&) = nullptr;  // under what other options; none: under any

  bool is_of(const Options& options) const {
    return recipe == options.recipe && (networks.empty() || networks == options.model.networks) &&
           (reads == nullptr || reads(options));
  }
};

const std::vector<Reader>& readers() {
  static const std::vector<Reader> all = {
      {"gan",
       "",
       {"data.labels", "model.networks", "model.latent", "loss.kind", "loss.r1", "loss.r2", "loss.gradient_penalty",
        "loss.penalty_every", "optimizer.generator_learning_rate", "optimizer.discriminator_learning_rate",
        "optimizer.ema_decay", "optimizer.d_updates", "augment.flip", "augment.policy", "augment.probability",
        "augment.adaptive", "augment.target", "evaluate."}},
      {"gan", "classic", {"model.generator_", "model.discriminator_", "model.leaky_slope"}},
      {"gan", "conv-steady", {"model.filters", "model.features"}},
      {"gan", "dcgan", {"model.filters"}},
      {"gan", "sagan", {"model.filters"}},
      {"gan", "residual", {"model.widths", "model.blocks"}},
      {"vae",
       "",
       {"data.labels", "model.latent", "model.filters", "optimizer.learning_rate", "optimizer.ema_decay",
        "train.evaluate_every", "evaluate."}},
      {"classify",
       "",
       {"data.target", "model.filters", "model.blocks", "model.stages", "model.stem_stride", "loss.label_smoothing",
        "augment.shift", "augment.flip", "augment.policy", "augment.probability", "optimizer.learning_rate",
        "train.evaluate_every"}},
      {"restore",
       "",
       {"data.degrade", "data.pairs", "data.crop", "model.restorer", "model.filters", "model.blocks",
        "model.encoder_blocks", "model.middle_blocks", "model.decoder_blocks", "loss.restoration", "loss.adversary",
        "augment.flip", "augment.turn", "optimizer.learning_rate", "optimizer.ema_decay", "train.evaluate_every"}},
      {"restore",
       "",
       {"loss.kind", "loss.r1", "loss.penalty_every", "model.adversary", "optimizer.discriminator_learning_rate"},
       [](const Options& options) { return !options.loss.adversary.is_zero(); }},
      {"restore", "", {"perceptual.run"}},
      {"restore", "", {"perceptual."}, [](const Options& options) { return options.perceptual.run != "none"; }},
      {"cut",
       "",
       {"data.into", "model.filters", "model.blocks", "model.features", "loss.kind", "loss.r1", "loss.contrast",
        "loss.identity", "loss.places", "loss.temperature", "optimizer.generator_learning_rate",
        "optimizer.discriminator_learning_rate", "optimizer.ema_decay", "augment.flip"}},
      {"cyclegan",
       "",
       {"data.into", "model.filters", "model.blocks", "loss.kind", "loss.r1", "loss.cycle", "loss.identity",
        "optimizer.generator_learning_rate", "optimizer.discriminator_learning_rate", "optimizer.ema_decay",
        "augment.flip"}},
      {"tryon", "", {"model.filters", "optimizer.learning_rate", "optimizer.ema_decay", "train.evaluate_every"}},
  };
  return all;
}

bool has(const Reader& reader, std::string_view key) {
  return std::any_of(reader.keys.begin(), reader.keys.end(),
                     [&](std::string_view each) { return key.starts_with(each); });
}

}  // namespace

bool reads_key(const Options& options, std::string_view key) {
  bool is_common = true;
  for (const Reader& reader : readers()) {
    if (!has(reader, key)) {
      continue;
    }
    if (reader.is_of(options)) {
      return true;
    }
    is_common = false;
  }
  return is_common;
}

std::string unread_changes(const Options& options) {
  std::vector<std::string> keys;
  for (const OptionChange& change : option_changes(preset(options.preset), options)) {
    if (!reads_key(options, change.key)) {
      keys.push_back(change.key);
    }
  }
  if (keys.empty()) {
    return "";
  }
  std::string form = options.recipe == "gan" ? " with networks " + options.model.networks : "";
  if (options.recipe == "restore") {
    const bool is_of_perceptual =
        std::all_of(keys.begin(), keys.end(), [](const std::string& key) { return key.starts_with("perceptual."); });
    form = is_of_perceptual                   ? " without perceptual.run"
           : options.loss.adversary.is_zero() ? " without loss.adversary"
                                              : "";
  }
  return fmt::format("{} {} no effect: recipe {}{} does not read {}", fmt::join(keys, ", "),
                     keys.size() == 1 ? "has" : "have", options.recipe, form, keys.size() == 1 ? "it" : "them");
}

}  // namespace duel

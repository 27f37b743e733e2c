#include "host/config/option_changes.h"

#include "host/config/option_keys.h"
#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace duel {

std::vector<OptionChange> option_changes(const Options& before, const Options& after) {
  std::vector<OptionChange> changes;
  for (const OptionKey& key : option_keys()) {
    const std::string old_value = value_text(key, before), new_value = value_text(key, after);
    if (old_value != new_value) {
      changes.push_back({std::string(key.name), old_value, new_value});
    }
  }
  return changes;
}

std::string shown(const std::vector<OptionChange>& changes) {
  std::string text;
  for (const OptionChange& change : changes) {
    text += fmt::format("{}{} {} -> {}", text.empty() ? "" : ", ", change.key, change.before, change.after);
  }
  return text;
}

void check_same_networks(const Options& before, const Options& after, Continuation how, const std::string& who) {
  std::vector<OptionChange> refused = option_changes(before, after);
  std::erase_if(refused, [&](const OptionChange& change) {
    const bool is_of_run =
        change.key == "seed" || (change.key.starts_with("data.synthetic_") && before.data.source == "synthetic" &&
                                 after.data.source == "synthetic");
    const bool is_of_networks = change.key.starts_with("model.") || change.key == "recipe" ||
                                change.key == "data.labels" ||
                                (change.key.starts_with("perceptual.") && change.key != "perceptual.weight");
    return !is_of_networks && !(how == Continuation::same_run && is_of_run);
  });
  if (!refused.empty()) {
    throw_error(
        Error::Kind::usage, "{}: its weights belong to other options, which cannot change: {}; {}", who, shown(refused),
        how == Continuation::same_run ? "leave them as they are, or train a new run" : "leave them as they are");
  }
}

}  // namespace duel

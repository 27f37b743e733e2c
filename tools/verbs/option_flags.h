// Options of the command line that several verbs share: preset < --config < --set < named options.
#pragma once

#include "host/config/configuration.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace duel {

class OptionFlags {
public:
  void declare(CLI::App& verb);
  void declare_evaluation(CLI::App& verb);  // of a run while it trains

  bool names_source() const { return !preset_.empty() || !config_.empty(); }
  // With `base`, a file that stands in the place of --config (the configuration of a run that is resumed).
  Options resolve(const std::string& base = "") const;

private:
  Options resolve_keys(const std::string& base) const;
  void declare_key(CLI::App& verb, const std::string& flag, const std::string& key, const std::string& help);
  // Where neither --preset nor --config says what to start from, or only that it is to classify: what suits the data.
  Options resolve_by_data(std::vector<Setting> settings) const;

  std::string preset_, config_;
  std::vector<std::string> settings_;
  std::vector<Setting> named_;
};

}  // namespace duel

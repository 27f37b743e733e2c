// --step: which checkpoint of a run a verb takes, the number of a step, or the best.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace duel {

class StepFlag {
public:
  void declare(CLI::App& verb);
  bool is_given() const { return option_->count() > 0; }
  // None: the latest. Of `best` in a run that keeps none, an error of kind `data`.
  std::optional<std::int64_t> resolve(const std::string& run) const;

private:
  std::string text_;
  CLI::Option* option_ = nullptr;
};

}  // namespace duel

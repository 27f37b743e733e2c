// The choices between kernels that were measured on this machine, in a JSON file: for each device, by problem.
//
// A file that cannot be read as one is put aside as NAME.corrupt; one that cannot be written costs a measurement in the
// next run. Either is said once, on standard error. Two processes that write at once lose at most a measurement.
#pragma once

#include "kernels/choice_store.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace duel {

class ChoiceCache : public ChoiceStore {
public:
  // "": nothing is read, and what is remembered ends with the process.
  explicit ChoiceCache(std::filesystem::path file);

  // kernels.json in $XDG_CACHE_HOME/duel, or in .cache/duel of $HOME; "" where neither is an absolute path.
  static std::filesystem::path default_path();

  std::optional<KernelDecision> find(const std::string& device, const std::string& problem) override;
  void remember(const std::string& device, const KernelDecision& decision) override;

  const std::filesystem::path& file() const { return file_; }
  // {device, number of problems remembered}
  std::map<std::string, std::size_t> devices() const;

private:
  using Decisions = std::map<std::string, std::map<std::string, KernelDecision>>;  // device, problem
  Decisions read();
  void write(const Decisions& decisions);

  std::filesystem::path file_;
  Decisions decisions_;
  bool is_writable_ = true;
};

// "matrix products and convolutions: 12 by cuBLASLt, 3 ours; left out: ...", for a log.
std::string summary(const std::vector<KernelDecision>& decisions);

}  // namespace duel

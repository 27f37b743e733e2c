// What was measured of operators that a backend can compute in several ways, remembered from one run to the next.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace duel {

struct KernelTiming {
  std::string kernel;  // "ours", "cuBLASLt 66:20:0"
  double us = 0;       // of a call, beside others of its kind in a row
};

struct KernelDecision {
  std::string problem;                // "matmul f32[64,100] f32[100,128] f32[128] -> f32[64,128], relu"
  std::string kernel;                 // what runs
  std::vector<KernelTiming> timings;  // of all that were tried; empty where there was nothing to choose from
  std::string note;                   // what was left out, and why
  std::string recipe;                 // what the library builds this kernel from again; empty for ours
};

// Keyed by device, that is GPU, driver and library versions in one text, and by problem.
class ChoiceStore {
public:
  virtual ~ChoiceStore() = default;
  virtual std::optional<KernelDecision> find(const std::string& device, const std::string& problem) = 0;
  virtual void remember(const std::string& device, const KernelDecision& decision) = 0;
};

}  // namespace duel

// A recipe's measurement on rows that training never sees: all of them, in batches, with the moving average of the
// weights where a network keeps one.
#pragma once

#include "host/recipes/recipe.h"
#include "host/sample/sampler.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace duel {

// A measured number, by its name.
using NamedNumber = std::pair<std::string, double>;

// What of the fields that the measurement needs the source lacks, as words for a message; "" where it can be measured.
std::string missing_inputs(const HeldOutMeasure& measure, const Source& source);

class HeldOut {
public:
  struct Result {
    std::vector<NamedNumber> numbers;  // of each metric
    std::string report;                // HeldOutMeasure::report's, or ""
  };

  // The source, which has every input, and what the model consists of outlive this. The measure's own sampling is run.
  // threads: of what rows are reduced by; 0: as default_threads.h has it.
  HeldOut(Context& context, HeldOutMeasure measure, const Source& source, const Networks& networks,
          const Storage& storage, Parameters::Block block = Parameters::Block::average, int threads = 0);

  // Reads weights where they lie: nothing may change them meanwhile.
  Result measure(Context& context);

  const Source& source() const { return source_; }
  const std::vector<std::string>& metrics() const { return measure_.metrics; }

private:
  std::vector<float> reduced(std::int64_t first, std::int64_t count,
                             const std::vector<std::vector<float>>& batch) const;

  HeldOutMeasure measure_;
  const Source& source_;
  int threads_;
  RowSampler sampler_;
  std::vector<std::size_t> fields_;  // of the source, for each input that is given
};

}  // namespace duel

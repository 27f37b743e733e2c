// Device memory of what outlives a step beside weights, as one block.
#pragma once

#include "engine/program/storage.h"
#include "host/recipes/recorded_step.h"
#include "kernels/memory.h"

#include <cstddef>
#include <string>
#include <vector>

namespace duel {

class StateMemory {
public:
  struct Array {
    std::string name;
    View view;  // f32
    double initial = 0;
  };

  StateMemory(Context& context, const std::vector<RecordedState>& states);
  static std::size_t bytes_of(const std::vector<RecordedState>& states);

  void initialize(Context& context) const;
  void add_to(Storage& storage) const;  // as "state/NAME"

  const std::vector<Array>& arrays() const { return arrays_; }
  View block() const;  // all of them, with gaps that stay zero; no shape where there are none

private:
  Buffer buffer_;
  std::vector<Array> arrays_;
};

}  // namespace duel

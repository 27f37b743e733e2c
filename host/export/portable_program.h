// A sampling program without what binds it to this process: which of its extents count the rows of a batch, and the
// numbers of what depends on weights alone.
#pragma once

#include "engine/program/program.h"
#include "host/sample/sampler.h"

#include <cstdint>
#include <map>
#include <vector>

namespace duel {

inline constexpr std::int64_t kBatchExtent = -1;  // the rows of a batch; -K: K times as many

// The same from inputs as a graph takes them: pictures in f32 and in the network's range. What a PortableProgram is
// made of.
Sampling with_pictures_in_f32(Sampling sampling);
// The same by the number of a class instead of the share of each.
Sampling with_class_numbers(Sampling sampling);

class PortableProgram {
public:
  // Weights are those of `block`, where a network keeps a moving average. The model's storage holds them, and its
  // sampling takes no u8.
  PortableProgram(Context& context, const SamplingModel& model, Parameters::Block block);

  const Program& program() const { return program_; }
  const std::vector<Value>& outputs() const { return outputs_; }
  // What was bound as that input of the sampling; throws kind `internal` where there is none.
  Value input(const std::string& field) const;

  std::vector<std::int64_t> extents(Value value) const;
  bool is_constant(Value value) const { return is_constant_[static_cast<std::size_t>(program_.root(value).id)]; }
  // Of a constant that something else reads: f32, in the engine's layout.
  const std::vector<float>& numbers(Value value) const;

private:
  void find_constants();
  std::vector<Value> constants_read() const;

  Program program_;
  std::vector<Value> outputs_;
  std::vector<std::vector<std::int64_t>> extents_;  // by the value's number
  std::vector<bool> is_constant_;                   // of roots, by the value's number
  std::map<int, std::vector<float>> numbers_;       // by the root's number
};

}  // namespace duel

// A recipe's way from latents to pictures as a recorded program.
//
// Storage that it reads: the networks' blocks, "state/NAME" (recorded_step.h), and
//   counter       i64 [1]: the number of the batch
//   input/NAME    [rows,...]: every other input, as stored
#pragma once

#include "engine/program/program.h"
#include "host/recipes/networks.h"
#include "host/recipes/recorded_step.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace duel {

struct SamplingSettings {
  int rows = 0;  // of a batch
  // Of networks that keep a moving average: average or master. Others have their weights only.
  Parameters::Block block = Parameters::Block::average;
  // Vectors are drawn, N(0, 1), as a function of this seed and the counter; without it they are given, too.
  std::optional<std::uint64_t> seed;
  // false: left as recorded, for a caller that appends to it (derivatives) and fuses it then.
  bool is_fused = true;
};

struct RecordedSampling {
  Program program;
  std::vector<Value> inputs;         // as the networks take them, in the sampling's order
  std::vector<Value> outputs;        // f32; kept
  std::vector<RecordedState> state;  // what it reads
};

// The blocks of parameters that drawing with a network reads.
Parameters::Blocks sampling_blocks(const NamedNetwork& network);

RecordedSampling record_sampling(const Sampling& sampling, const Networks& networks, const SamplingSettings& settings);

// The outputs on inputs as networks take them, recorded behind what the program holds, neither fused nor kept, so that
// they can be differentiated. `state` grows by what is read.
std::vector<Value> record_outputs(Program& program, const Sampling& sampling, const Networks& networks,
                                  Parameters::Block block, std::span<const Value> inputs,
                                  std::vector<RecordedState>& state);

}  // namespace duel

#include "host/sample/recorded_sampling.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/fuse.h"
#include "kernels/check.h"

#include <utility>

namespace duel {

namespace {

using Block = Parameters::Block;

Value input_of(Program& program, const Field& field, const SamplingSettings& settings) {
  const Shape shape = field.shape.with_rows(settings.rows);
  if (field.kind == FieldKind::vector && settings.seed) {
    const Value counter = program.bind("counter", {1}, DType::i64);
    return ops::random_normal(program, {*settings.seed, Purpose::sample_latents}, counter, shape);
  }
  const Value stored = program.bind("input/" + field.name, shape, field.dtype);
  if (field.dtype != DType::u8) {
    return stored;
  }
  // All rows are the one slot of a ring, whatever the counter.
  const Value ring = program.reshape(stored, {1, static_cast<int>(shape.count())});
  const Value counter = program.bind("counter", {1}, DType::i64);
  return ops::load_rows(program, {DType::u8, 0, field.scale}, ring, counter, shape, DType::f32);
}

}  // namespace

Parameters::Blocks sampling_blocks(const NamedNetwork& network) {
  Parameters::Blocks blocks;
  blocks.training = false;
  blocks.average = network.is_averaged;
  return blocks;
}

std::vector<Value> record_outputs(Program& program, const Sampling& sampling, const Networks& networks, Block block,
                                  std::span<const Value> inputs, std::vector<RecordedState>& read) {
  const Sampling::Run run = [&](const std::string& name, const std::vector<Value>& values) {
    const NamedNetwork& named = networks.at(name);
    const BoundParameters weights(program, named.network->parameters(), named.is_averaged ? block : Block::master,
                                  false);
    const NamedState state_of = [&](const std::string& state, const Shape& shape, double initial) {
      read.push_back({name + "/" + state, shape, initial});
      return program.bind("state/" + read.back().name, shape, DType::f32);
    };
    return named.network->forward({program, weights, state_of, false}, values);
  };
  std::vector<Value> outputs = sampling.record(program, run, inputs);
  check(outputs.size() == sampling.outputs.size(), "sampling: {} outputs, where {} are said", outputs.size(),
        sampling.outputs.size());
  return outputs;
}

RecordedSampling record_sampling(const Sampling& sampling, const Networks& networks, const SamplingSettings& settings) {
  RecordedSampling recorded;
  Program& program = recorded.program;
  for (const Field& field : sampling.inputs) {
    recorded.inputs.push_back(input_of(program, field, settings));
  }
  recorded.outputs = record_outputs(program, sampling, networks, settings.block, recorded.inputs, recorded.state);
  for (const Value output : recorded.outputs) {
    program.keep(output);
  }
  if (settings.is_fused) {
    fuse(program);
  }
  return recorded;
}

}  // namespace duel

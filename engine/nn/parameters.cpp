#include "engine/nn/parameters.h"

#include "kernels/check.h"
#include "kernels/elementwise.h"

#include <array>
#include <cstddef>
#include <numeric>

namespace duel {

namespace {

constexpr std::int64_t kAlignment = 16;

std::size_t index_of(Parameters::Block block) {
  return static_cast<std::size_t>(block);
}

DType type_of(Parameters::Block block) {
  return block == Parameters::Block::compute ? DType::bf16 : DType::f32;
}

constexpr std::array kBlocks = {Parameters::Block::master, Parameters::Block::gradient, Parameters::Block::m,
                                Parameters::Block::v,      Parameters::Block::average,  Parameters::Block::compute};

const char* name_of(Parameters::Block block) {
  switch (block) {
    case Parameters::Block::master: return "master";
    case Parameters::Block::gradient: return "gradient";
    case Parameters::Block::m: return "m";
    case Parameters::Block::v: return "v";
    case Parameters::Block::average: return "average";
    case Parameters::Block::compute: return "compute";
  }
  throw_error(Error::Kind::internal, "parameters: unknown block");
}

bool is_among(Parameters::Block block, const Parameters::Blocks& blocks) {
  switch (block) {
    case Parameters::Block::master: return true;
    case Parameters::Block::gradient:
    case Parameters::Block::m:
    case Parameters::Block::v: return blocks.training;
    case Parameters::Block::average: return blocks.average;
    case Parameters::Block::compute: return blocks.compute;
  }
  throw_error(Error::Kind::internal, "parameters: unknown block");
}

}  // namespace

int Parameters::declare(const std::string& name, const Shape& shape, const Initial& initial) {
  list_.push_back({name, shape, initial, size_});
  size_ += (shape.count() + kAlignment - 1) / kAlignment * kAlignment;
  if (size_ > INT32_MAX) {
    throw_error(
        Error::Kind::usage,
        "{}: its layers up to {} have {} parameters, but a network has at most {}; fewer or narrower layers are "
        "needed",
        network_, name, size_, INT32_MAX);
  }
  return static_cast<int>(list_.size()) - 1;
}

void Parameters::allocate(Context& context, const Blocks& blocks) {
  for (const Block block : kBlocks) {
    if (is_among(block, blocks)) {
      buffers_[index_of(block)] = Buffer(context, view(block).bytes());
      buffers_[index_of(block)].clear();
    }
  }
}

std::size_t Parameters::bytes_of(const Blocks& blocks) const {
  std::size_t bytes = 0;
  for (const Block block : kBlocks) {
    bytes += is_among(block, blocks) ? view(block).bytes() : 0;
  }
  return bytes;
}

void Parameters::initialize(Context& context, std::uint64_t seed, std::uint32_t network_number) {
  std::vector<float> values(static_cast<std::size_t>(size_), 0.0F);
  for (std::size_t i = 0; i < list_.size(); ++i) {
    draw_initial(list_[i].initial, list_[i].shape, seed, (std::uint64_t{network_number} << 32) | i,
                 values.data() + list_[i].offset);
  }
  upload<float>(context, view(Block::master), values);
  for (const Block block : {Block::gradient, Block::m, Block::v}) {
    if (has(block)) {
      context.clear(view(block).data, view(block).bytes());
    }
  }
  if (has(Block::average)) {
    upload<float>(context, view(Block::average), values);
  }
  refresh_compute(context);
}

void Parameters::refresh_compute(Context& context) {
  if (has(Block::compute)) {
    cast(context, view(Block::master), view(Block::compute));
  }
}

std::int64_t Parameters::parameter_count() const {
  return std::accumulate(list_.begin(), list_.end(), std::int64_t{0},
                         [](std::int64_t sum, const Parameter& p) { return sum + p.shape.count(); });
}

std::size_t Parameters::allocated_bytes() const {
  return std::accumulate(std::begin(buffers_), std::end(buffers_), std::size_t{0},
                         [](std::size_t sum, const Buffer& buffer) { return sum + buffer.bytes(); });
}

View Parameters::view(Block block) const {
  return {buffers_[index_of(block)].data(), {static_cast<int>(size_)}, type_of(block)};
}

View Parameters::view(Block block, const Parameter& parameter) const {
  return buffers_[index_of(block)].view(parameter.shape, type_of(block),
                                        static_cast<std::size_t>(parameter.offset) * size_of(type_of(block)));
}

std::string Parameters::storage(Block block) const {
  return network_ + "/" + name_of(block);
}

void Parameters::add_to(Storage& all) const {
  for (const Block block : kBlocks) {
    if (has(block)) {
      all.add(storage(block), view(block));
    }
  }
}

BoundParameters::BoundParameters(Program& program, const Parameters& parameters, Parameters::Block block,
                                 bool use_compute) {
  for (const Parameter& parameter : parameters.list()) {
    const bool is_weight = parameter.shape.rank() >= 2;
    const Parameters::Block source = use_compute && is_weight ? Parameters::Block::compute : block;
    const Value value = bind_parameter(program, parameters, source, parameter);
    program.info(value).gradient_dtype = DType::f32;  // gradients go to the f32 block whatever the weights' type
    values_.push_back(value);
  }
}

Value bind_block(Program& program, const Parameters& parameters, Parameters::Block block) {
  const View whole = parameters.view(block);
  return program.bind(parameters.storage(block), whole.shape, whole.dtype);
}

Value bind_parameter(Program& program, const Parameters& parameters, Parameters::Block block,
                     const Parameter& parameter) {
  const DType dtype = type_of(block);
  return program.bind(parameters.storage(block), parameter.shape, dtype,
                      static_cast<std::size_t>(parameter.offset) * size_of(dtype),
                      parameters.network() + "/" + parameter.name);
}

}  // namespace duel

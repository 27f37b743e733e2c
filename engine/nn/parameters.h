// All parameters of one network, as contiguous blocks of device memory: so that Adam, EMA, clipping and a checkpoint
// are one call or one loop each.
//
//   master    f32, what the optimiser updates                 always
//   gradient, m, v   f32, Adam's                              where trained
//   average   f32, the exponential moving average of master   where asked for
//   compute   bf16 copy of master that matrix products read   where training runs in bf16
//
// Parameters are declared once, by name; they begin at multiples of 16 elements, and the gap behind each stays zero.
#pragma once

#include "engine/nn/initial.h"
#include "engine/program/program.h"
#include "engine/program/storage.h"
#include "kernels/memory.h"

#include <string>
#include <vector>

namespace duel {

struct Parameter {
  std::string name;  // "conv1/weight"
  Shape shape;
  Initial initial;
  std::int64_t offset = 0;  // in elements, the same in every block
};

class Parameters {
public:
  enum class Block { master, gradient, m, v, average, compute };
  struct Blocks {
    bool training = true;  // gradient, m, v
    bool average = false;
    bool compute = false;
  };

  explicit Parameters(std::string network) : network_(std::move(network)) {}

  int declare(const std::string& name, const Shape& shape, const Initial& initial);  // its index
  void allocate(Context& context, const Blocks& blocks);
  // Draws the starting weights (Philox, purpose initial_weights; `network_number` keeps networks apart), clears
  // the optimiser's state, and lets average and compute follow.
  void initialize(Context& context, std::uint64_t seed, std::uint32_t network_number);
  // The same after master was written by a checkpoint: recomputes `compute`.
  void refresh_compute(Context& context);

  const std::string& network() const { return network_; }
  const std::vector<Parameter>& list() const { return list_; }
  std::int64_t parameter_count() const;              // without the gaps
  std::size_t allocated_bytes() const;               // of all blocks
  std::size_t bytes_of(const Blocks& blocks) const;  // what allocate() takes for them
  bool has(Block block) const { return view(block).data != nullptr; }
  View view(Block block) const;  // the whole block, [size]; without data where it was not allocated
  View view(Block block, const Parameter& parameter) const;

  // What a program knows a block by, "generator/master", whether it is allocated or not.
  std::string storage(Block block) const;
  void add_to(Storage& all) const;  // all blocks that are allocated

private:
  std::string network_;
  std::vector<Parameter> list_;
  std::int64_t size_ = 0;  // elements of a block, with the gaps
  Buffer buffers_[6];
};

// One block of a network's parameters as values of a program: each parameter is bound when first used, and only once,
// so that a program can use it twice and be differentiated with respect to it.
class BoundParameters {
public:
  // `use_compute`: weights (rank 2 and more) come from the bf16 block, the rest from `block`. No memory is needed.
  BoundParameters(Program& program, const Parameters& parameters, Parameters::Block block, bool use_compute);

  Value operator[](int index) const { return values_[static_cast<std::size_t>(index)]; }
  const std::vector<Value>& all() const { return values_; }

private:
  std::vector<Value> values_;
};

// The whole block as a value, [size].
Value bind_block(Program& program, const Parameters& parameters, Parameters::Block block);
// The part of it that is `parameter`'s.
Value bind_parameter(Program& program, const Parameters& parameters, Parameters::Block block,
                     const Parameter& parameter);

}  // namespace duel

#include "engine/program/memory_plan.h"

#include <algorithm>

namespace duel {

namespace {

// The nodes that use an array.
struct Uses {
  explicit Uses(std::size_t nodes) : set(nodes) {}
  void insert(int node) {
    set.insert(node);
    first = first < 0 ? node : std::min(first, node);
    last = std::max(last, node);
  }
  void insert_all(const Uses& other) {
    set.insert_all(other.set);
    first = first < 0 ? other.first : std::min(first, other.first);
    last = std::max(last, other.last);
  }
  // No node is done before a later one begins, so most pairs are told apart by their numbers.
  bool are_all_in(const NodeSet& done, int latest) const {
    return last <= latest && done.contains_all(set, first, last);
  }

  NodeSet set;
  int first = -1, last = -1;
};

// One piece of the arena, and the nodes that use it: the first of them writes it.
struct Block {
  std::size_t bytes = 0;
  Uses uses;
  bool is_kept = false;
  std::int64_t offset = -1;
};

std::size_t rounded_bytes(View view) {
  return (view.bytes() + MemoryPlan::kAlignment - 1) / MemoryPlan::kAlignment * MemoryPlan::kAlignment;
}

// Of each value that owns its storage.
std::vector<Uses> find_uses(const Program& program) {
  const std::size_t count = program.nodes().size();
  std::vector<Uses> uses(static_cast<std::size_t>(program.value_count()), Uses(count));
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = program.nodes()[i];
    for (const std::vector<Value>& list : {node.inputs, node.outputs}) {
      for (const Value value : list) {
        if (value.exists()) {
          uses[static_cast<std::size_t>(program.root(value).id)].insert(static_cast<int>(i));
        }
      }
    }
  }
  return uses;
}

// Whether nobody uses `earlier` any more when `later` is first written.
bool is_over(const Block& earlier, const Block& later, const LanePlan& lanes) {
  const int written = later.uses.first;
  return !earlier.is_kept && earlier.uses.are_all_in(lanes.before[static_cast<std::size_t>(written)], written - 1);
}

// The block of an input that `node` (number `index`) may write over, or -1. Of the output's shape, since a bias or a
// column's mean is still read when the first row has been written.
int reusable_block(const Program& program, const LanePlan& lanes, int index, const std::vector<Uses>& uses,
                   const std::vector<int>& block_of) {
  const Node& node = program.nodes()[static_cast<std::size_t>(index)];
  if (!node.in_place) {
    return -1;
  }
  NodeSet done = lanes.before[static_cast<std::size_t>(index)];
  done.insert(index);
  for (const Value input : node.inputs) {
    if (!input.exists()) {
      continue;
    }
    const Value root = program.root(input);
    const auto id = static_cast<std::size_t>(root.id);
    if (block_of[id] >= 0 && !program.is_kept(root) && uses[id].are_all_in(done, index) &&
        program.shape(input) == program.shape(node.outputs[0]) &&
        program.dtype(root) == program.dtype(node.outputs[0])) {
      return block_of[id];
    }
  }
  return -1;
}

void place(std::vector<Block>& blocks, const LanePlan& lanes, MemoryPlan& plan) {
  std::vector<std::size_t> order(blocks.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return blocks[a].bytes > blocks[b].bytes; });
  std::vector<const Block*> placed;  // by offset
  for (const std::size_t index : order) {
    Block& block = blocks[index];
    std::int64_t offset = 0;
    for (const Block* other : placed) {
      if (is_over(*other, block, lanes) || is_over(block, *other, lanes)) {
        continue;
      }
      if (other->offset - offset >= static_cast<std::int64_t>(block.bytes)) {
        break;  // fits before this one
      }
      offset = std::max(offset, other->offset + static_cast<std::int64_t>(other->bytes));
    }
    block.offset = offset;
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                   [](std::int64_t value, const Block* other) { return value < other->offset; }),
                  &block);
    plan.arena_bytes = std::max(plan.arena_bytes, static_cast<std::size_t>(offset) + block.bytes);
  }
}

}  // namespace

MemoryPlan plan_memory(const Program& program, const LanePlan& lanes) {
  MemoryPlan plan;
  const std::vector<Uses> uses = find_uses(program);
  std::vector<int> block_of(static_cast<std::size_t>(program.value_count()), -1);
  std::vector<Block> blocks;
  for (int i = 0; i < static_cast<int>(program.nodes().size()); ++i) {
    const Node& node = program.nodes()[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < node.outputs.size(); ++k) {
      const Value output = node.outputs[k];
      if (program.is_bound(output)) {
        continue;
      }
      const auto id = static_cast<std::size_t>(output.id);
      const std::size_t bytes = rounded_bytes(program.described(output));
      plan.unshared_bytes += bytes;
      int block = k == 0 ? reusable_block(program, lanes, i, uses, block_of) : -1;
      if (block < 0) {
        block = static_cast<int>(blocks.size());
        blocks.push_back({bytes, Uses(program.nodes().size())});
      }
      blocks[static_cast<std::size_t>(block)].uses.insert_all(uses[id]);
      blocks[static_cast<std::size_t>(block)].is_kept = program.is_kept(output);
      block_of[id] = block;
    }
  }
  place(blocks, lanes, plan);
  plan.offset_of_root.assign(block_of.size(), -1);
  for (std::size_t id = 0; id < block_of.size(); ++id) {
    if (block_of[id] >= 0) {
      plan.offset_of_root[id] = blocks[static_cast<std::size_t>(block_of[id])].offset;
    }
  }
  return plan;
}

}  // namespace duel

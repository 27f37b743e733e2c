#include "engine/program/dependencies.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstdint>

namespace duel {

namespace {

// Bytes of memory outside the program; or an array of the program, which is one piece: its number.
struct Range {
  bool is_memory = false;
  std::uintptr_t begin = 0, end = 0;

  bool overlaps(const Range& other) const {
    return is_memory == other.is_memory && begin < other.end && other.begin < end;
  }
};

struct Accesses {
  std::vector<Range> reads, writes;
};

void add_memory(std::vector<Range>& list, View view) {
  if (view.data != nullptr && view.bytes() > 0) {
    const auto begin = reinterpret_cast<std::uintptr_t>(view.data);
    list.push_back({true, begin, begin + view.bytes()});
  }
}

void add_value(std::vector<Range>& list, const Program& program, Value value) {
  if (!value.exists()) {
    return;
  }
  const Value root = program.root(value);
  if (program.info(root).bound != nullptr) {
    add_memory(list, program.described(root));
  } else {
    const auto number = static_cast<std::uintptr_t>(root.id);
    list.push_back({false, number, number + 1});
  }
}

Accesses accesses_of(const Program& program, const Node& node) {
  check(!node.outputs.empty() || !node.state.empty(), "{}: a node without outputs must say which memory it writes",
        node.op);
  Accesses accesses;
  for (const Value input : node.inputs) {
    add_value(accesses.reads, program, input);
  }
  for (const Value output : node.outputs) {
    add_value(accesses.writes, program, output);
  }
  for (const View& view : node.state) {
    add_memory(accesses.writes, view);
  }
  return accesses;
}

bool overlap(const std::vector<Range>& some, const std::vector<Range>& others) {
  return std::any_of(some.begin(), some.end(), [&](const Range& one) {
    return std::any_of(others.begin(), others.end(), [&](const Range& other) { return one.overlaps(other); });
  });
}

}  // namespace

std::vector<std::vector<int>> find_dependencies(const Program& program) {
  std::vector<Accesses> accesses;
  std::vector<std::vector<int>> dependencies;
  for (const Node& node : program.nodes()) {
    const Accesses mine = accesses_of(program, node);
    std::vector<int> earlier;
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      const Accesses& other = accesses[i];
      if (overlap(other.writes, mine.reads) || overlap(other.writes, mine.writes) ||
          overlap(other.reads, mine.writes)) {
        earlier.push_back(static_cast<int>(i));
      }
    }
    accesses.push_back(mine);
    dependencies.push_back(std::move(earlier));
  }
  return dependencies;
}

}  // namespace duel

#include "engine/program/dependencies.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>

namespace duel {

namespace {

// Bytes of a named storage; or an array of the program, which is one piece: its number.
struct Range {
  int storage = -1;  // its number; -1: an array of the program
  std::size_t begin = 0, end = 0;

  bool overlaps(const Range& other) const { return storage == other.storage && begin < other.end && other.begin < end; }
};

struct Accesses {
  std::vector<Range> reads, writes;
};

class AccessFinder {
public:
  explicit AccessFinder(const Program& program) : program_(program) {}

  Accesses of(const Node& node) {
    check(!node.outputs.empty() || !node.writes.empty(), "{}: a node without outputs must say what it writes", node.op);
    Accesses accesses;
    for (const Value input : node.inputs) {
      add(accesses.reads, input);
    }
    for (const std::vector<Value>& list : {node.outputs, node.writes}) {
      for (const Value value : list) {
        add(accesses.writes, value);
      }
    }
    return accesses;
  }

private:
  void add(std::vector<Range>& list, Value value) {
    if (!value.exists()) {
      return;
    }
    const Value root = program_.root(value);
    const Binding& binding = program_.binding(root);
    if (binding.exists()) {
      const int storage = numbers_.try_emplace(binding.storage, static_cast<int>(numbers_.size())).first->second;
      const std::size_t bytes = program_.described(root).bytes();
      if (bytes > 0) {
        list.push_back({storage, binding.offset, binding.offset + bytes});
      }
    } else {
      const auto number = static_cast<std::size_t>(root.id);
      list.push_back({-1, number, number + 1});
    }
  }

  const Program& program_;
  std::map<std::string, int> numbers_;  // of the storages
};

bool overlap(const std::vector<Range>& some, const std::vector<Range>& others) {
  return std::any_of(some.begin(), some.end(), [&](const Range& one) {
    return std::any_of(others.begin(), others.end(), [&](const Range& other) { return one.overlaps(other); });
  });
}

}  // namespace

std::vector<std::vector<int>> find_dependencies(const Program& program) {
  AccessFinder finder(program);
  std::vector<Accesses> accesses;
  std::vector<std::vector<int>> dependencies;
  for (const Node& node : program.nodes()) {
    const Accesses mine = finder.of(node);
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

#include "engine/program/dependencies.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <utility>

namespace duel {

namespace {

// Bytes of a named storage; or an array of the program, which is one piece: its number.
struct Stretch {
  int storage = -1;  // its number; -1: an array of the program
  std::size_t begin = 0, end = 0;
};

struct Accesses {
  std::vector<Stretch> reads, writes;
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
  void add(std::vector<Stretch>& list, Value value) {
    if (!value.exists()) {
      return;
    }
    const Value root = program_.root(value);
    const Binding& binding = program_.binding(root);
    if (!binding.exists()) {
      const auto number = static_cast<std::size_t>(root.id);
      list.push_back({-1, number, number + 1});
    } else if (const std::size_t bytes = program_.described(root).bytes(); bytes > 0) {
      const int storage = numbers_.try_emplace(binding.storage, static_cast<int>(numbers_.size())).first->second;
      list.push_back({storage, binding.offset, binding.offset + bytes});
    }
  }

  const Program& program_;
  std::map<std::string, int> numbers_;  // of the storages
};

// What is accessed, cut wherever a range begins or ends: so each range is whole pieces, and each piece has a list of
// the nodes that read it and of those that write it. A node looks at the lists of its own pieces alone.
class Pieces {
public:
  explicit Pieces(const std::vector<Accesses>& all) {
    for (const Accesses& accesses : all) {
      for (const auto* list : {&accesses.reads, &accesses.writes}) {
        for (const Stretch& range : *list) {
          pieces_.try_emplace({range.storage, range.begin});
          pieces_.try_emplace({range.storage, range.end});
        }
      }
    }
  }

  struct Users {
    std::vector<int> readers, writers;
  };

  template <class Each>
  void for_each_in(const Stretch& range, const Each& each) {
    const auto end = pieces_.find({range.storage, range.end});
    for (auto piece = pieces_.find({range.storage, range.begin}); piece != end; ++piece) {
      each(piece->second);
    }
  }

private:
  std::map<std::pair<int, std::size_t>, Users> pieces_;  // by where they begin; each ends at the next
};

}  // namespace

std::vector<std::vector<int>> find_dependencies(const Program& program, std::int64_t* comparisons) {
  AccessFinder finder(program);
  std::vector<Accesses> accesses;
  for (const Node& node : program.nodes()) {
    accesses.push_back(finder.of(node));
  }
  Pieces pieces(accesses);
  std::int64_t looks = 0;
  std::vector<int> found_for(accesses.size(), -1);  // the last node for which each was found
  std::vector<std::vector<int>> dependencies;
  for (int number = 0; number < static_cast<int>(accesses.size()); ++number) {
    const Accesses& mine = accesses[static_cast<std::size_t>(number)];
    std::vector<int> earlier;
    const auto add = [&](const std::vector<int>& nodes) {
      looks += static_cast<std::int64_t>(nodes.size());
      std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(earlier), [&](int node) {
        return std::exchange(found_for[static_cast<std::size_t>(node)], number) != number;
      });
    };
    for (const Stretch& range : mine.reads) {
      pieces.for_each_in(range, [&](const Pieces::Users& users) { add(users.writers); });
    }
    for (const Stretch& range : mine.writes) {
      pieces.for_each_in(range, [&](const Pieces::Users& users) {
        add(users.writers);
        add(users.readers);
      });
    }
    std::sort(earlier.begin(), earlier.end());
    dependencies.push_back(std::move(earlier));
    for (const Stretch& range : mine.reads) {
      pieces.for_each_in(range, [&](Pieces::Users& users) { users.readers.push_back(number); });
    }
    for (const Stretch& range : mine.writes) {
      pieces.for_each_in(range, [&](Pieces::Users& users) { users.writers.push_back(number); });
    }
  }
  if (comparisons != nullptr) {
    *comparisons = looks;
  }
  return dependencies;
}

}  // namespace duel

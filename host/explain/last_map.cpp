#include "host/explain/last_map.h"

#include <algorithm>
#include <vector>

namespace duel {

namespace {

bool is_map(const Shape& shape) {
  return shape.rank() == 4 && shape[1] * shape[2] > 1;
}

}  // namespace

Value last_map(const Program& program, Value pictures, Value logits) {
  const auto index = [&](Value value) { return static_cast<std::size_t>(program.root(value).id); };
  std::vector<bool> depends(static_cast<std::size_t>(program.value_count()), false), leads = depends;
  depends[index(pictures)] = true;
  for (const Node& node : program.nodes()) {
    const bool is_of_pictures = std::any_of(node.inputs.begin(), node.inputs.end(),
                                            [&](Value input) { return input.exists() && depends[index(input)]; });
    for (const Value output : node.outputs) {
      depends[index(output)] = is_of_pictures;
    }
  }
  leads[index(logits)] = true;
  for (auto node = program.nodes().rbegin(); node != program.nodes().rend(); ++node) {
    const auto leading =
        std::find_if(node->outputs.begin(), node->outputs.end(), [&](Value output) { return leads[index(output)]; });
    if (leading == node->outputs.end()) {
      continue;
    }
    if (depends[index(*leading)] && is_map(program.shape(*leading))) {
      return *leading;
    }
    for (const Value input : node->inputs) {
      if (input.exists()) {
        leads[index(input)] = true;
      }
    }
  }
  return {};
}

}  // namespace duel

#include "engine/program/listing.h"

#include <fmt/format.h>

#include <algorithm>

namespace duel {

namespace {

ListedArray array_of(const Program& program, Value value) {
  ListedArray array;
  if (!value.exists()) {
    return array;
  }
  const Value root = program.root(value);
  array.value = root.id;
  array.shape = program.shape(value);
  array.dtype = program.dtype(value);
  array.bound = program.binding(root);
  if (array.bound.exists() && program.info(root).producer < 0) {
    array.name = program.info(root).name;
  }
  return array;
}

}  // namespace

std::vector<ListedNode> list_nodes(const Program& program) {
  std::vector<ListedNode> list;
  for (const Node& node : program.nodes()) {
    ListedNode listed;
    listed.number = static_cast<int>(list.size());
    listed.op = node.op;
    listed.attributes = node.attributes;
    for (const Value input : node.inputs) {
      listed.inputs.push_back(array_of(program, input));
      listed.inputs.back().is_changed =
          input.exists() && std::find(node.writes.begin(), node.writes.end(), input) != node.writes.end();
    }
    for (const Value output : node.outputs) {
      listed.outputs.push_back(array_of(program, output));
    }
    listed.place = program.place(node);
    listed.cost = program.cost(node);
    list.push_back(std::move(listed));
  }
  return list;
}

std::string to_string(const ListedArray& array) {
  if (array.value < 0) {
    return "none";
  }
  std::string text = fmt::format("%{} {}", array.value, View{nullptr, array.shape, array.dtype});
  if (array.bound.exists()) {
    text += fmt::format(" = {}+{}", array.bound.storage, array.bound.offset);
  }
  if (!array.name.empty() && array.name != array.bound.storage) {
    text += fmt::format(" ({})", array.name);
  }
  if (array.is_changed) {
    text += " changed";
  }
  return text;
}

}  // namespace duel

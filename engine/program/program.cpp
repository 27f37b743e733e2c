#include "engine/program/program.h"

#include "kernels/check.h"

#include <algorithm>

namespace duel {

Value Program::bind(const std::string& storage, const Shape& shape, DType dtype, std::size_t offset,
                    const std::string& name) {
  check(!storage.empty(), "bind: the storage of {}{} needs a name (recorded as \"{}\")", name_of(dtype), shape, scope_);
  const Value value = new_value(shape, dtype);
  info(value).name = name.empty() ? storage : name;
  info(value).bound = {storage, offset};
  return value;
}

Value Program::new_value(const Shape& shape, DType dtype) {
  ValueInfo created;
  created.shape = shape;
  created.dtype = dtype;
  created.gradient_dtype = dtype;
  created.name = scope_;
  values_.push_back(std::move(created));
  return {value_count() - 1};
}

Value Program::reshape(Value value, const Shape& target) {
  check(shape(value).count() == target.count(), "reshape: {} has {} elements, but {} has {} (recorded as \"{}\")",
        shape(value), shape(value).count(), target, target.count(), scope_);
  if (shape(value) == target) {
    return value;
  }
  const DType type = dtype(value);
  const Value view = new_value(target, type);
  info(view).alias = value;
  info(view).gradient_dtype = info(value).gradient_dtype;
  return view;
}

Value Program::record(Node node, const Shape& shape, DType dtype) {
  const Value output = new_value(shape, dtype);
  record(std::move(node), {output});
  return output;
}

void Program::record(Node node, std::vector<Value> outputs) {
  for (const Value output : outputs) {
    info(output).producer = static_cast<int>(nodes_.size());
  }
  node.outputs = std::move(outputs);
  nodes_.push_back(std::move(node));
}

void Program::record_effect(Node node) {
  node.has_effect = true;
  node.scope = scope_;
  nodes_.push_back(std::move(node));
}

void Program::keep(Value value) {
  kept_.push_back(root(value));
}

bool Program::is_kept(Value value) const {
  return std::find(kept_.begin(), kept_.end(), value) != kept_.end();
}

Value Program::root(Value value) const {
  while (info(value).alias.exists()) {
    value = info(value).alias;
  }
  return value;
}

bool Program::place_at(Value value, Value place) {
  check(is_bound(place), "write_to: \"{}\" is not bound to memory outside the program", info(place).name);
  check(shape(value).count() == shape(place).count() && dtype(value) == dtype(place),
        "write_to: the value is {}, but the memory {} (recorded as \"{}\")", described(value), described(place),
        info(value).name);
  const Value owner = root(value);
  if (is_bound(owner)) {
    return false;
  }
  info(owner).bound = binding(place);
  nodes_[static_cast<std::size_t>(info(owner).producer)].has_effect = true;
  return true;
}

View Program::described(Value value) const {
  if (!value.exists()) {
    return {};
  }
  return {nullptr, shape(value), dtype(value)};
}

Cost Program::cost(const Node& node) const {
  if (node.bytes >= 0) {
    return {node.flops, node.bytes};
  }
  double bytes = 0;
  for (const std::vector<Value>& list : {node.inputs, node.outputs}) {
    for (const Value value : list) {
      bytes += value.exists() ? static_cast<double>(described(value).bytes()) : 0;
    }
  }
  return {node.flops, bytes};
}

std::string Program::arrays(const Node& node) const {
  std::string text;
  for (const Value input : node.inputs) {
    if (input.exists()) {
      text.append(to_string(described(input))).append(" ");
    }
  }
  text += "->";
  for (const Value output : node.outputs) {
    text.append(" ").append(to_string(described(output)));
  }
  return text;
}

void Program::prune() {
  std::vector<bool> used(values_.size(), false);
  std::vector<bool> keep_node(nodes_.size(), false);
  for (const Value value : kept_) {
    used[static_cast<std::size_t>(value.id)] = true;
  }
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    keep_node[i] = node.has_effect || std::any_of(node.outputs.begin(), node.outputs.end(),
                                                  [&](Value v) { return used[static_cast<std::size_t>(root(v).id)]; });
    if (keep_node[i]) {
      for (const Value input : node.inputs) {
        if (input.exists()) {
          used[static_cast<std::size_t>(root(input).id)] = true;
        }
      }
    }
  }
  std::vector<Node> remaining;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (keep_node[i]) {
      for (const Value output : nodes_[i].outputs) {
        info(output).producer = static_cast<int>(remaining.size());
      }
      remaining.push_back(std::move(nodes_[i]));
    }
  }
  nodes_ = std::move(remaining);
}

}  // namespace duel

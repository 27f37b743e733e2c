#include "engine/rewrite/proportions.h"

#include "kernels/elementwise.h"
#include "kernels/matmul.h"
#include "kernels/reduce.h"

#include <algorithm>
#include <any>
#include <initializer_list>
#include <string>
#include <string_view>

namespace duel {

namespace {

bool is_column(const Shape& shape) {
  return shape.rank() > 0 && shape[0] > 1 && shape.row_count() == 1;
}

bool is_among(std::string_view op, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

// Whether each row of the output is linear in the same row of input `index`, where the others stay as they are. Their
// attributes say all of these operators' parameters.
bool is_linear_by_row(const Node& node, std::size_t index) {
  if (node.op == "multiply") {
    return node.inputs[0] != node.inputs[1];
  }
  if (index != 0) {
    return false;
  }
  if (node.op == "matmul") {
    return !std::any_cast<Matmul>(node.parameters).transpose_a && !node.inputs[2].exists();
  }
  if (node.op == "conv2d_forward") {
    return !node.inputs[2].exists();
  }
  if (node.op == "affine") {
    return std::any_cast<Affine>(node.parameters).shift == 0.0F;
  }
  if (node.op == "broadcast" || node.op == "reduce_sum") {
    const Axes axes = std::any_cast<Reduce>(node.parameters).axes;
    return axes == Axes::each_row || axes == Axes::each_row_and_column;
  }
  return is_among(
      node.op, {"conv2d_backward_input", "activation_backward", "resample2d", "cast", "slice_columns", "pad_columns"});
}

}  // namespace

Proportions::Proportions(const Program& program)
    : program_(program),
      first_(static_cast<std::size_t>(program.value_count())),
      readers_(first_.size()),
      is_merged_(program.nodes().size(), false) {
  look_around();
  for (std::size_t i = 0; !ones_.empty() && i < is_merged_.size(); ++i) {
    const Node& node = program_.nodes()[i];
    if (node.outputs.size() == 1 && !node.has_effect && !program_.is_kept(node.outputs[0])) {
      node.op == "add" ? merge_sum(i) : merge_linear(i);
    }
  }
}

const Proportional* Proportions::find(Value value) const {
  const auto found = value.exists() ? known_.find(program_.root(value).id) : known_.end();
  return found == known_.end() ? nullptr : &found->second;
}

bool Proportions::is_same(Value a, Value b) const {
  return a == b || (a.exists() && b.exists() && origin(a) == origin(b) && program_.shape(a) == program_.shape(b));
}

void Proportions::look_around() {
  for (int i = 0; i < program_.value_count(); ++i) {
    first_[static_cast<std::size_t>(i)] = program_.root(Value{i});
  }
  for (std::size_t i = 0; i < program_.nodes().size(); ++i) {
    const Node& node = program_.nodes()[i];
    if (node.op == "cast" && !program_.is_bound(node.inputs[0])) {
      const DType type = program_.dtype(node.outputs[0]);
      for (const std::size_t other : readers_of(node.inputs[0])) {
        const Node& earlier = program_.nodes()[other];
        if (earlier.op == "cast" && program_.dtype(earlier.outputs[0]) == type) {
          first_[static_cast<std::size_t>(node.outputs[0].id)] = origin(earlier.outputs[0]);
          break;
        }
      }
    }
    for (const Value input : node.inputs) {
      if (input.exists()) {
        readers_of(input).push_back(i);
      }
    }
    if (node.op == "fill" && std::any_cast<double>(node.parameters) == 1.0 &&
        is_column(program_.shape(node.outputs[0]))) {
      ones_.push_back(node.outputs[0]);
    }
  }
}

bool Proportions::may_have_changed(Value value, std::size_t begin, std::size_t end) const {
  const std::string& storage = program_.binding(value).storage;
  for (std::size_t i = begin; program_.is_bound(value) && i < end; ++i) {
    for (const Value written : program_.nodes()[i].writes) {
      if (program_.binding(written).storage == storage) {
        return true;
      }
    }
  }
  return false;
}

bool Proportions::is_partner(std::size_t other, std::size_t index, const Inputs& its) const {
  const Node &node = program_.nodes()[index], &before = program_.nodes()[other];
  if (is_merged_[other] || before.op != node.op || before.inputs.size() != node.inputs.size() ||
      before.outputs.size() != 1 || to_string(before.attributes) != to_string(node.attributes) ||
      program_.shape(before.outputs[0]) != program_.shape(node.outputs[0]) ||
      program_.dtype(before.outputs[0]) != program_.dtype(node.outputs[0])) {
    return false;
  }
  for (std::size_t k = 0; k < its.size(); ++k) {
    const Value mine = node.inputs[k], theirs = before.inputs[k];
    if (its[k]) {
      if (!theirs.exists() || origin(theirs) != origin(its[k]->of) || program_.shape(theirs) != program_.shape(mine)) {
        return false;
      }
    } else if (!is_same(mine, theirs) || (mine.exists() && may_have_changed(mine, other, index))) {
      return false;
    }
  }
  return true;
}

bool Proportions::merge(std::size_t index, const Inputs& its, const Proportional& one) {
  for (const std::size_t other : readers_of(one.of)) {
    if (other >= index) {
      return false;
    }
    if (is_partner(other, index, its)) {
      const Node& node = program_.nodes()[index];
      known_[node.outputs[0].id] = {program_.root(program_.nodes()[other].outputs[0]), one.scale};
      is_merged_[index] = true;
      saves_a_product_ = saves_a_product_ || node.traits.is_product;
      return true;
    }
  }
  return false;
}

void Proportions::merge_sum(std::size_t index) {
  const Node& node = program_.nodes()[index];
  const Proportional *a = find(node.inputs[0]), *b = find(node.inputs[1]);
  if (a != nullptr && b != nullptr && a->scale == b->scale) {
    merge(index, {*a, *b}, *a);
  }
}

void Proportions::merge_linear(std::size_t index) {
  const std::vector<Value>& inputs = program_.nodes()[index].inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].exists() || !is_linear_by_row(program_.nodes()[index], k)) {
      continue;
    }
    for (const Proportional& candidate : candidates(inputs[k])) {
      Inputs its(inputs.size());
      its[k] = candidate;
      if (merge(index, its, candidate)) {
        known_.emplace(program_.root(inputs[k]).id, candidate);  // where the pass begins
        return;
      }
    }
  }
}

std::vector<Proportional> Proportions::candidates(Value input) const {
  if (const Proportional* known = find(input)) {
    return {*known};
  }
  std::vector<Proportional> list;
  const Value root = program_.root(input);
  if (program_.dtype(root) == DType::f32 && is_column(program_.shape(root)) && !program_.is_bound(root)) {
    for (const Value one : ones_) {
      if (one != root && program_.shape(one)[0] == program_.shape(root)[0]) {
        list.push_back({one, root});
      }
    }
  }
  return list;
}

}  // namespace duel

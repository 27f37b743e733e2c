#include "engine/rewrite/small_nodes.h"

#include "engine/program/dependencies.h"
#include "kernels/small_program.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace duel {

namespace {

// One instruction with Values for operands.
struct Written {
  SmallInstruction instruction;
  Value x, b, y;
};

std::optional<UnaryKind> unary_named(const std::string& op) {
  for (const UnaryKind kind : kUnaryKinds) {
    if (op == name_of(kind)) {
      return kind;
    }
  }
  return {};
}

Written reduced(SmallOp op, const Reduce& reduce, Value x, Value y) {
  return {{.op = op, .axes = reduce.axes, .scale = reduce.scale}, x, {}, y};
}

// The node as instructions; none where it is no operator that a list may have.
std::vector<Written> instructions_of(const Node& node) {
  const auto in = [&](std::size_t i) { return node.inputs[i]; };
  const auto out = [&](std::size_t i = 0) { return node.outputs[i]; };
  const std::string& op = node.op;
  if (op == "fill") {
    return {{{.op = SmallOp::fill, .scalar = std::any_cast<double>(node.parameters)}, {}, {}, out()}};
  }
  if (op == "cast") {
    return {{{.op = SmallOp::cast}, in(0), {}, out()}};
  }
  if (op == "add" || op == "multiply") {
    return {{{.op = op == "add" ? SmallOp::add : SmallOp::multiply}, in(0), in(1), out()}};
  }
  if (op == "affine") {
    const auto p = std::any_cast<Affine>(node.parameters);
    return {{{.op = SmallOp::affine, .scale = p.scale, .shift = p.shift}, in(0), {}, out()}};
  }
  if (const std::optional<UnaryKind> kind = unary_named(op)) {
    return {{{.op = SmallOp::unary, .unary = *kind}, in(0), {}, out()}};
  }
  if (op == "clamp") {
    const auto p = std::any_cast<Clamp>(node.parameters);
    return {{{.op = SmallOp::clamp, .scale = p.low, .shift = p.high}, in(0), {}, out()}};
  }
  if (op == "bias_act_forward" || op == "activation_backward") {
    const SmallOp small = op == "bias_act_forward" ? SmallOp::bias_act : SmallOp::activation_backward;
    return {{{.op = small, .activation = std::any_cast<Activation>(node.parameters)}, in(0), in(1), out()}};
  }
  if (op == "bias_act_backward") {
    const auto act = std::any_cast<Activation>(node.parameters);
    return {{{.op = SmallOp::activation_backward, .activation = act}, in(0), in(1), out()},
            reduced(SmallOp::reduce_sum, {Axes::each_column, 1.0F}, out(), out(1))};
  }
  if (op == "reduce_sum" || op == "broadcast") {
    const SmallOp small = op == "reduce_sum" ? SmallOp::reduce_sum : SmallOp::broadcast;
    return {reduced(small, std::any_cast<Reduce>(node.parameters), in(0), out())};
  }
  if (op == "concat_rows") {
    return {{{.op = SmallOp::concat_rows}, in(0), in(1), out()}};
  }
  if (op == "slice_rows" || op == "pad_rows") {
    const SmallOp small = op == "slice_rows" ? SmallOp::slice_rows : SmallOp::pad_rows;
    return {{{.op = small, .index = std::any_cast<int>(node.parameters)}, in(0), {}, out()}};
  }
  if (op == "scale_scheduled") {
    const auto schedule = std::any_cast<Schedule>(node.parameters);
    return {{{.op = SmallOp::scale_scheduled, .schedule = schedule}, in(0), in(1), out()}};
  }
  if (op == "clip_scale") {
    return {{{.op = SmallOp::clip_scale, .scalar = std::any_cast<double>(node.parameters)}, in(0), {}, out()}};
  }
  if (op == "store_scalars") {
    const auto columns = std::any_cast<std::vector<int>>(node.parameters);
    const Value step = in(columns.size()), ring = in(columns.size() + 1);
    std::vector<Written> list;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      list.push_back({{.op = SmallOp::store_scalar, .index = columns[i]}, in(i), step, ring});
    }
    return list;
  }
  if (op == "advance_counter") {
    return {{{.op = SmallOp::advance_counter}, {}, {}, in(0)}};
  }
  return {};
}

bool is_small(const Program& program, const Node& node) {
  // Labels stay outside: the instructions compute with numbers in f32.
  const auto fits = [&](Value value) {
    return !value.exists() ||
           (program.shape(value).count() <= kMostSmallElements && program.dtype(value) != DType::i32);
  };
  return std::all_of(node.inputs.begin(), node.inputs.end(), fits) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), fits) && !instructions_of(node).empty();
}

// How often each storage root is an operand.
std::vector<int> count_uses(const Program& program, const std::vector<const Node*>& nodes) {
  std::vector<int> uses(static_cast<std::size_t>(program.value_count()), 0);
  for (const Node* node : nodes) {
    for (const Value input : node->inputs) {
      if (input.exists()) {
        ++uses[static_cast<std::size_t>(program.root(input).id)];
      }
    }
  }
  return uses;
}

std::string names_of(const std::vector<SmallInstruction>& instructions) {
  std::string text;
  for (const SmallInstruction& each : instructions) {
    if (!text.empty()) {
      text += ' ';
    }
    text += name_of(each.op);
  }
  return text;
}

// Makes one node of several, in their order.
class Grouping {
public:
  // `uses`: of the whole program.
  Grouping(const Program& program, const std::vector<int>& uses, const std::vector<const Node*>& members)
      : program_(program), uses_(uses), own_uses_(count_uses(program, members)) {
    node_.op = "small_program";
    node_.scope = members.front()->scope;
    for (const Node* member : members) {
      written_.insert(written_.end(), member->writes.begin(), member->writes.end());
      made_.insert(made_.end(), member->outputs.begin(), member->outputs.end());
      node_.has_effect = node_.has_effect || member->has_effect;
      node_.flops += member->flops;
    }
    for (const Node* member : members) {
      for (Written& written : instructions_of(*member)) {
        written.instruction.x = number_of(written.x);
        written.instruction.b = number_of(written.b);
        written.instruction.y = number_of(written.y);
        list_.instructions.push_back(written.instruction);
      }
    }
  }

  // Whether it is no longer than a list may be.
  bool fits() const {
    const auto schedules = std::count_if(list_.instructions.begin(), list_.instructions.end(),
                                         [](const auto& i) { return i.op == SmallOp::scale_scheduled; });
    return list_.instructions.size() <= kMostSmallInstructions && list_.arrays.size() <= kMostSmallArrays &&
           schedules <= kMostSmallSchedules;
  }

  Node node() {
    // What it changes comes behind what it makes.
    const auto made = static_cast<int>(node_.outputs.size());
    for (SmallArray& array : list_.arrays) {
      if (array.index < 0) {
        array = {SmallArray::Place::output, made - 1 - array.index, array.shape, array.dtype};
      }
    }
    std::vector<std::size_t> changed;
    for (const Value value : node_.writes) {
      changed.push_back(node_.inputs.size());
      node_.inputs.push_back(value);
    }
    node_.parameters = list_;
    node_.attributes = {{"instructions", names_of(list_.instructions)}};
    node_.run = [list = list_, changed](Context& c, Views in, Views out) {
      std::array<View, kMostSmallArrays> outputs;
      const auto behind = std::copy(out.begin(), out.end(), outputs.begin());
      std::transform(changed.begin(), changed.end(), behind, [&](std::size_t i) { return in[i]; });
      small_program(c, list, in, {outputs.data(), out.size() + changed.size()});
    };
    return std::move(node_);
  }

private:
  int number_of(Value value) {
    if (!value.exists()) {
      return -1;
    }
    const auto known = std::find(values_.begin(), values_.end(), value);
    if (known == values_.end()) {
      values_.push_back(value);
      list_.arrays.push_back(array_of(value));
      return static_cast<int>(values_.size()) - 1;
    }
    return static_cast<int>(known - values_.begin());
  }

  // Reshapes of one value are one array's place.
  SmallArray array_of(Value value) {
    const Value root = program_.root(value);
    for (std::size_t i = 0; i + 1 < values_.size(); ++i) {
      if (program_.root(values_[i]) == root) {
        SmallArray same = list_.arrays[i];
        same.shape = program_.shape(value);
        return same;
      }
    }
    SmallArray array{SmallArray::Place::input, 0, program_.shape(value), program_.dtype(value)};
    const auto is_root = [&](Value other) { return program_.root(other) == root; };
    if (std::any_of(written_.begin(), written_.end(), is_root)) {
      node_.writes.push_back(root);
      array.index = -static_cast<int>(node_.writes.size());  // until it is known how many outputs there are
    } else if (std::find(made_.begin(), made_.end(), root) == made_.end()) {
      array.index = index_after(node_.inputs, root);
    } else if (is_local(root)) {
      array.place = SmallArray::Place::local;
      array.index = static_cast<int>(local_bytes_);
      local_bytes_ += padded_bytes(root);
    } else {
      array.place = SmallArray::Place::output;
      array.index = index_after(node_.outputs, root);
    }
    return array;
  }

  static int index_after(std::vector<Value>& list, Value value) {
    list.push_back(value);
    return static_cast<int>(list.size()) - 1;
  }

  std::size_t padded_bytes(Value value) const { return (program_.described(value).bytes() + 15) / 16 * 16; }

  // Nobody else reads it, and there is room; otherwise it lies with the program's other arrays.
  bool is_local(Value root) const {
    const auto id = static_cast<std::size_t>(root.id);
    return uses_[id] == own_uses_[id] && !program_.is_kept(root) && !program_.is_bound(root) &&
           local_bytes_ + padded_bytes(root) <= kMostLocalBytes;
  }

  const Program& program_;
  const std::vector<int>& uses_;
  std::vector<int> own_uses_;
  std::vector<Value> written_, made_;  // by all members
  std::vector<Value> values_;          // of each array
  std::size_t local_bytes_ = 0;
  SmallProgram list_;
  Node node_;
};

// Appends the small nodes of one gap to `nodes`: lists, each as long as it may be, and a node by itself as it is.
void add_grouped(const Program& program, const std::vector<int>& uses, std::span<const Node* const> gap,
                 std::vector<Node>& nodes) {
  while (!gap.empty()) {
    std::size_t count = 1;
    const auto first = [&](std::size_t length) { return std::vector<const Node*>(gap.begin(), gap.begin() + length); };
    while (count < gap.size() && Grouping(program, uses, first(count + 1)).fits()) {
      ++count;
    }
    nodes.push_back(count == 1 ? *gap[0] : Grouping(program, uses, first(count)).node());
    gap = gap.subspan(count);
  }
}

// For each small node the gap in which it runs, counted by the nodes before it that are not small; -1 for the others.
std::vector<int> choose_gaps(const Program& program, const std::vector<bool>& small) {
  const std::vector<std::vector<int>> dependencies = find_dependencies(program);
  const std::size_t count = small.size();
  std::vector<int> earliest(count, 0), latest(count, 0), gaps(count, -1);
  int others = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!small[i]) {
      earliest[i] = ++others;  // for those that depend on it: the gap behind it
      continue;
    }
    for (const int earlier : dependencies[i]) {
      earliest[i] = std::max(earliest[i], earliest[static_cast<std::size_t>(earlier)]);
    }
  }
  std::fill(latest.begin(), latest.end(), others);
  for (std::size_t i = count; i-- > 0;) {
    if (!small[i]) {
      latest[i] = earliest[i] - 1;  // for those that it depends on: the gap before it
    }
    for (const int earlier : dependencies[i]) {
      int& bound = latest[static_cast<std::size_t>(earlier)];
      bound = std::min(bound, latest[i]);
    }
  }
  std::vector<std::size_t> by_latest;
  for (std::size_t i = 0; i < count; ++i) {
    if (small[i]) {
      by_latest.push_back(i);
    }
  }
  std::stable_sort(by_latest.begin(), by_latest.end(),
                   [&](std::size_t a, std::size_t b) { return latest[a] < latest[b]; });
  std::vector<int> chosen;  // rising
  for (const std::size_t i : by_latest) {
    if (chosen.empty() || chosen.back() < earliest[i]) {
      chosen.push_back(latest[i]);
    }
  }
  // The first that it may run in. What it depends on may begin no later and has no later one, so it comes no later.
  for (const std::size_t i : by_latest) {
    gaps[i] = *std::lower_bound(chosen.begin(), chosen.end(), earliest[i]);
  }
  return gaps;
}

}  // namespace

void group_small_nodes(Program& program) {
  program.prune();
  std::vector<bool> small;
  std::vector<const Node*> all;
  for (const Node& node : program.nodes()) {
    small.push_back(is_small(program, node));
    all.push_back(&node);
  }
  const std::vector<int> gaps = choose_gaps(program, small), uses = count_uses(program, all);
  std::vector<std::vector<const Node*>> in_gap(all.size() + 1);
  std::vector<const Node*> others;
  for (std::size_t i = 0; i < all.size(); ++i) {
    (small[i] ? in_gap[static_cast<std::size_t>(gaps[i])] : others).push_back(all[i]);
  }
  std::vector<Node> nodes;
  for (std::size_t gap = 0; gap <= others.size(); ++gap) {
    add_grouped(program, uses, in_gap[gap], nodes);
    if (gap < others.size()) {
      nodes.push_back(*others[gap]);
    }
  }
  program.nodes() = std::move(nodes);
  program.prune();  // which numbers the producers anew
}

}  // namespace duel

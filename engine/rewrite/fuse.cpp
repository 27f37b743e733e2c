#include "engine/rewrite/fuse.h"

#include "engine/ops/nodes.h"
#include "engine/program/dependencies.h"
#include "kernels/conv2d_bias_act.h"
#include "kernels/reduce.h"

#include <algorithm>

namespace duel {

namespace {

// For each storage root: how many nodes read it, counting a read through a reshape.
std::vector<int> count_uses(const Program& program) {
  std::vector<int> uses(static_cast<std::size_t>(program.value_count()), 0);
  for (const Node& node : program.nodes()) {
    for (const Value input : node.inputs) {
      if (input.exists()) {
        ++uses[static_cast<std::size_t>(program.root(input).id)];
      }
    }
  }
  return uses;
}

bool is_private(const Program& program, const std::vector<int>& uses, Value value) {
  return uses[static_cast<std::size_t>(value.id)] == 1 && !program.is_kept(value) &&
         !program.info(value).bound.exists();
}

// The node that makes `value` itself, not something that it is a reshape of; or nullptr.
Node* producer_of(Program& program, Value value) {
  const ValueInfo& info = program.info(value);
  return info.alias.exists() || info.producer < 0 ? nullptr : &program.nodes()[static_cast<std::size_t>(info.producer)];
}

// The node that makes `value` without a reshape, if its name is `op`.
Node* producer_named(Program& program, Value value, const char* op) {
  Node* node = producer_of(program, value);
  return node != nullptr && node->op == op ? node : nullptr;
}

// The layer whose output `node` (a bias_act_forward) takes straight, or nullptr.
Node* layer_before(Program& program, const std::vector<int>& uses, const Node& node) {
  const Value between = node.inputs[0];
  Node* layer = producer_of(program, between);
  if (layer == nullptr || !is_private(program, uses, between)) {
    return nullptr;
  }
  const bool is_layer = layer->op == "matmul" || layer->op == "conv2d_forward";
  return is_layer && !layer->inputs[2].exists() ? layer : nullptr;
}

void fuse_epilogues(Program& program) {
  const std::vector<int> uses = count_uses(program);
  for (Node& node : program.nodes()) {
    if (node.op != "bias_act_forward") {
      continue;
    }
    Node* layer = layer_before(program, uses, node);
    if (layer == nullptr) {
      continue;
    }
    const auto act = std::any_cast<Activation>(node.parameters);
    const Value output = node.outputs[0];
    Node fused;
    if (layer->op == "matmul") {
      auto matmul = std::any_cast<Matmul>(layer->parameters);
      matmul.activation = act;
      fused = matmul_node(program, matmul, layer->inputs[0], layer->inputs[1], node.inputs[1]);
    } else {
      fused = conv2d_node(program, std::any_cast<Conv2d>(layer->parameters), act, layer->inputs[0], layer->inputs[1],
                          node.inputs[1]);
    }
    fused.outputs = {output};
    fused.has_effect = node.has_effect;
    // At the place of the bias: its operands exist there. The layer's own node is left without use, and pruned.
    node = std::move(fused);
  }
}

void fuse_bias_gradients(Program& program) {
  for (Node& sum : program.nodes()) {
    if (sum.op != "reduce_sum") {
      continue;
    }
    const auto reduce = std::any_cast<Reduce>(sum.parameters);
    const Value dx = sum.inputs[0];
    Node* producer = producer_of(program, dx);
    if (reduce.axes != Axes::each_column || reduce.scale != 1.0F || producer == nullptr ||
        producer->op != "activation_backward") {
      continue;
    }
    Node& before = *producer;
    const Value db = sum.outputs[0];
    Node fused =
        bias_act_backward_node(std::any_cast<Activation>(before.parameters), before.inputs[0], before.inputs[1]);
    fused.outputs = {dx, db};
    fused.has_effect = before.has_effect || sum.has_effect;
    program.info(db).producer = program.info(dx).producer;
    before = std::move(fused);
    sum = Node{};  // neither outputs nor effect: pruned
  }
}

// The weight's gradient into the pass that makes the gradient before the activation and its sum over rows, for layers
// on pictures of few channels: what it reads is that gradient and the picture.
void fuse_picture_gradients(Program& program) {
  for (Node& node : program.nodes()) {
    if (node.op != "conv2d_backward_weight" || program.shape(node.inputs[0]).back() > kFewChannels ||
        std::any_cast<Conv2d>(node.parameters).groups > 1) {
      continue;
    }
    const Value x = node.inputs[0], dz = node.inputs[1], dw = node.outputs[0];
    Node* before = producer_named(program, dz, "bias_act_backward");
    const bool is_known = before != nullptr && before->outputs[0] == dz &&
                          program.info(program.root(x)).producer < program.info(dz).producer;
    if (!is_known || program.dtype(x) != program.dtype(dz)) {
      continue;
    }
    const Value db = before->outputs[1];
    Node fused = conv2d_bias_act_backward_node(program, std::any_cast<Conv2d>(node.parameters),
                                               std::any_cast<Activation>(before->parameters), x, before->inputs[0],
                                               before->inputs[1], program.shape(dw));
    fused.outputs = {dz, dw, db};
    fused.has_effect = before->has_effect || node.has_effect;
    program.info(dw).producer = program.info(dz).producer;
    *before = std::move(fused);
    node = Node{};  // neither outputs nor effect: pruned
  }
}

void fuse_normalizations(Program& program) {
  const std::vector<int> uses = count_uses(program);
  for (Node& node : program.nodes()) {
    if (node.op != "bias_act_forward" || node.inputs[1].exists()) {
      continue;
    }
    Node* before = producer_of(program, node.inputs[0]);
    const bool is_normalization =
        before != nullptr && (before->op == "batch_norm_forward" || before->op == "batch_norm_inference");
    if (!is_normalization || node.inputs[0] != before->outputs[0] || !is_private(program, uses, node.inputs[0])) {
      continue;
    }
    auto p = std::any_cast<BatchNorm>(before->parameters);
    p.activation = std::any_cast<Activation>(node.parameters);
    const std::vector<Value>& in = before->inputs;
    Node fused = before->op == "batch_norm_forward" ? batch_norm_node(p, in[0], in[1], in[2])
                                                    : batch_norm_inference_node(p, in[0], in[1], in[2], in[3], in[4]);
    // In the first one's place: its other outputs may be read in between.
    fused.outputs = before->outputs;
    fused.outputs[0] = node.outputs[0];
    fused.has_effect = before->has_effect || node.has_effect;
    program.info(node.outputs[0]).producer = program.info(node.inputs[0]).producer;
    *before = std::move(fused);
    node = Node{};  // neither outputs nor effect: pruned
  }
}

// Random numbers that are only rounded to another type are drawn in it.
void fuse_draws(Program& program) {
  const std::vector<int> uses = count_uses(program);
  for (Node& node : program.nodes()) {
    Node* draw = node.op == "cast" ? producer_of(program, node.inputs[0]) : nullptr;
    const bool is_draw = draw != nullptr && (draw->op == "random_normal" || draw->op == "random_uniform");
    if (!is_draw || program.dtype(node.inputs[0]) != DType::f32 || !is_private(program, uses, node.inputs[0])) {
      continue;  // of a draw that is rounded already, a cast back keeps the rounding
    }
    program.info(node.outputs[0]).producer = program.info(draw->outputs[0]).producer;
    draw->outputs = node.outputs;
    draw->has_effect = draw->has_effect || node.has_effect;
    node = Node{};  // neither outputs nor effect: pruned
  }
}

// Derivatives cast a gradient for each operand that it is multiplied with: once is enough. What is bound may be written
// between two casts of it, so only casts of what the program itself makes are one.
void merge_equal_casts(Program& program) {
  std::vector<Node*> casts;
  for (Node& node : program.nodes()) {
    if (node.op != "cast" || program.is_bound(node.inputs[0])) {
      continue;
    }
    const Value y = node.outputs[0];
    const auto equal = std::find_if(casts.begin(), casts.end(), [&](const Node* other) {
      return other->inputs == node.inputs && program.dtype(other->outputs[0]) == program.dtype(y);
    });
    if (equal == casts.end() || program.is_kept(y) || program.is_bound(y) || node.has_effect) {
      casts.push_back(&node);
      continue;
    }
    const Value first = (*equal)->outputs[0];
    for (Node& reader : program.nodes()) {
      std::replace(reader.inputs.begin(), reader.inputs.end(), y, first);
    }
    for (int i = 0; i < program.value_count(); ++i) {
      if (ValueInfo& info = program.info(Value{i}); info.alias == y) {
        info.alias = first;
      }
    }
    node = Node{};  // neither outputs nor effect: pruned
  }
}

bool is_same_place(const Program& program, Value a, Value b) {
  const Binding &x = program.binding(a), &y = program.binding(b);
  return x.exists() && x.storage == y.storage && x.offset == y.offset && program.shape(a) == program.shape(b);
}

// A moving average into the update of the weights that it follows, where nothing in between keeps it from moving there.
void fuse_averages(Program& program) {
  std::vector<Node>& nodes = program.nodes();
  const auto is_average = [](const Node& node) { return node.op == "ema"; };
  if (std::none_of(nodes.begin(), nodes.end(), is_average)) {
    return;
  }
  const std::vector<std::vector<int>> dependencies = find_dependencies(program);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!is_average(nodes[i]) || dependencies[i].empty()) {
      continue;
    }
    Node& update = nodes[static_cast<std::size_t>(dependencies[i].back())];
    const Value step = nodes[i].inputs[0], w = nodes[i].inputs[1], average = nodes[i].inputs[2];
    const bool is_update = update.op == "adam" && update.inputs.size() == 7 &&
                           is_same_place(program, update.inputs[3], w) &&
                           (!step.exists() || is_same_place(program, update.inputs[0], step));
    if (!is_update) {
      continue;
    }
    auto p = std::any_cast<Adam>(update.parameters);
    p.average_decay = std::any_cast<Schedule>(nodes[i].parameters);
    std::vector<Value> inputs = update.inputs;
    inputs.push_back(average);
    Node fused = adam_node(program, p, inputs);
    fused.has_effect = true;
    fused.scope = update.scope;
    update = std::move(fused);
    nodes[i] = Node{};  // neither outputs nor effect: pruned
  }
}

}  // namespace

void fuse(Program& program) {
  program.prune();
  fuse_epilogues(program);
  fuse_bias_gradients(program);
  fuse_picture_gradients(program);
  fuse_normalizations(program);
  fuse_draws(program);
  merge_equal_casts(program);
  program.prune();
  fuse_averages(program);
  program.prune();
}

}  // namespace duel

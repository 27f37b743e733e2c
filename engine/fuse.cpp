#include "engine/fuse.h"

#include "engine/nodes.h"
#include "kernels/reduce.h"

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
         program.info(value).bound == nullptr;
}

// The layer whose output `node` (a bias_act_forward) takes straight, or nullptr.
Node* layer_before(Program& program, const std::vector<int>& uses, const Node& node) {
  const Value between = node.inputs[0];
  if (program.info(between).alias.exists() || program.info(between).producer < 0 ||
      !is_private(program, uses, between)) {
    return nullptr;
  }
  Node& layer = program.nodes()[static_cast<std::size_t>(program.info(between).producer)];
  const bool is_layer = layer.op == "matmul" || layer.op == "conv2d_forward";
  return is_layer && !layer.inputs[2].exists() ? &layer : nullptr;
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
    if (reduce.axes != Axes::each_column || reduce.scale != 1.0F || program.info(dx).alias.exists() ||
        program.info(dx).producer < 0) {
      continue;
    }
    Node& before = program.nodes()[static_cast<std::size_t>(program.info(dx).producer)];
    if (before.op != "activation_backward") {
      continue;
    }
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

}  // namespace

void fuse(Program& program) {
  program.prune();
  fuse_epilogues(program);
  fuse_bias_gradients(program);
  program.prune();
}

}  // namespace duel

#include "engine/rewrite/differentiate.h"

#include "engine/ops/ops.h"
#include "kernels/check.h"

#include <algorithm>

namespace duel {

namespace {

std::size_t index_of(Value value) {
  return static_cast<std::size_t>(value.id);
}

// Storage roots that depend on one of `sources`, as far as nodes 0..count-1 say.
std::vector<bool> find_dependent(const Program& program, const std::vector<Value>& sources, std::size_t count) {
  std::vector<bool> dependent(static_cast<std::size_t>(program.value_count()), false);
  for (const Value source : sources) {
    dependent[index_of(program.root(source))] = true;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = program.nodes()[i];
    if (node.constant) {
      continue;
    }
    for (const Value input : node.inputs) {
      if (input.exists() && dependent[index_of(program.root(input))]) {
        for (const Value output : node.outputs) {
          dependent[index_of(output)] = true;
        }
      }
    }
  }
  return dependent;
}

// Gradients are gathered by storage root, in the root's shape.
class Gradients {
public:
  explicit Gradients(Program& program) : program_(program), of_root_(static_cast<std::size_t>(program.value_count())) {}

  Value of(Value root) const { return of_root_[index_of(root)]; }

  void accumulate(Value value, Value gradient) {
    const Value root = program_.root(value);
    gradient = ops::cast(program_, gradient, program_.info(root).gradient_dtype);
    gradient = program_.reshape(gradient, program_.shape(root));
    Value& sum = of_root_[index_of(root)];
    sum = sum.exists() ? ops::add(program_, sum, gradient) : gradient;
  }

private:
  Program& program_;
  std::vector<Value> of_root_;
};

// "discriminator/conv1" of "d_main/discriminator/conv1", recorded in "d_main".
std::string name_within(const std::string& scope, const std::string& name) {
  if (scope.empty() || !(name + "/").starts_with(scope + "/")) {
    return name;
  }
  return name.substr(std::min(name.size(), scope.size() + 1));
}

}  // namespace

std::vector<Value> differentiate(Program& program, Value loss, const std::vector<Value>& with_respect_to) {
  const std::string outer = program.scope();
  const Program::Scope scope(program, "backward");
  const std::size_t forward_nodes = program.nodes().size();
  const std::vector<bool> dependent = find_dependent(program, with_respect_to, forward_nodes);
  Gradients gradients(program);
  gradients.accumulate(loss, ops::fill(program, program.shape(loss), program.dtype(loss), 1.0));

  for (std::size_t i = forward_nodes; i-- > 0;) {
    const Node& node = program.nodes()[i];
    if (node.outputs.empty() || node.constant) {
      continue;
    }
    // Copies: the rule appends nodes, which may move the list.
    const std::vector<Value> inputs = node.inputs, outputs = node.outputs;
    std::vector<Value> output_gradients;
    for (const Value output : outputs) {
      output_gradients.push_back(gradients.of(output));
    }
    const bool is_used =
        std::any_of(output_gradients.begin(), output_gradients.end(), [](Value v) { return v.exists(); });
    std::vector<bool> wanted;
    for (const Value input : inputs) {
      wanted.push_back(input.exists() && dependent[index_of(program.root(input))]);
    }
    if (!is_used || std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
      continue;
    }
    const auto derive = node.derive;
    check(derive != nullptr, "differentiate: {} has no derivative (recorded as \"{}\")", node.op,
          program.info(outputs[0]).name);
    const Program::Scope of_node(program, name_within(outer, program.info(outputs[0]).name));
    Backward backward(program, inputs, outputs, output_gradients, wanted);
    derive(backward);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (wanted[k] && backward.result()[k].exists()) {
        gradients.accumulate(inputs[k], backward.result()[k]);
      }
    }
  }

  std::vector<Value> results;
  for (const Value value : with_respect_to) {
    const Value gradient = gradients.of(program.root(value));
    results.push_back(gradient.exists()
                          ? program.reshape(gradient, program.shape(value))
                          : ops::fill(program, program.shape(value), program.info(value).gradient_dtype, 0.0));
  }
  return results;
}

}  // namespace duel

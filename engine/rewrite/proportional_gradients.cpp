#include "engine/rewrite/proportional_gradients.h"

#include "engine/ops/ops.h"
#include "engine/rewrite/proportions.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace duel {

namespace {

// Of a sum over rows, of what products of a row of x and a row of dz add up to: which operand is dz. By the others:
// none.
std::optional<std::size_t> gradient_operand(const Proportions& proportions, const Node& product) {
  std::size_t first = 1;
  if (product.op == "matmul") {
    const auto p = std::any_cast<Matmul>(product.parameters);
    if (!p.transpose_a || p.transpose_b || product.inputs[2].exists()) {
      return {};
    }
    first = 0;
  } else if (product.op != "conv2d_backward_weight") {
    return {};
  }
  for (std::size_t k = first; k < 2; ++k) {
    if (proportions.find(product.inputs[k]) != nullptr) {
      return k;
    }
  }
  return {};
}

class Rewriting {
public:
  Rewriting(Program& program, const Proportions& proportions) : program_(program), proportions_(proportions) {}

  void run() {
    readers_ = find_readers();
    for (std::size_t i = 0; i < program_.nodes().size(); ++i) {
      if (program_.nodes()[i].op == "add") {
        join_products(i);
      }
    }
    readers_ = find_readers();
    for (std::size_t i = program_.nodes().size(); i-- > 0;) {
      if (proportions_.is_merged(i)) {
        replace(i);
      }
    }
  }

private:
  using Readers = std::map<int, std::vector<std::size_t>>;

  // By root, nodes that are not merged.
  Readers find_readers() const {
    Readers readers;
    for (std::size_t i = 0; i < program_.nodes().size(); ++i) {
      for (const Value input : program_.nodes()[i].inputs) {
        if (input.exists() && !proportions_.is_merged(i)) {
          readers[program_.root(input).id].push_back(i);
        }
      }
    }
    return readers;
  }

  bool is_private(Value value) const {
    const auto found = readers_.find(value.id);
    return program_.root(value) == value && !program_.is_bound(value) && !program_.is_kept(value) &&
           found != readers_.end() && found->second.size() == 1;
  }

  // Of a weight's gradients by loss and by penalty.
  void join_products(std::size_t index) {
    const std::vector<Value> terms = program_.nodes()[index].inputs;
    if (terms[0] == terms[1] || !is_private(terms[0]) || !is_private(terms[1])) {
      return;
    }
    const auto [earlier, later] = std::minmax({program_.info(terms[0]).producer, program_.info(terms[1]).producer});
    if (earlier >= 0) {
      join(static_cast<std::size_t>(later), static_cast<std::size_t>(earlier), index);
    }
  }

  // The loss's way back comes behind the penalty's: differentiate() begins with what was recorded last.
  void join(std::size_t loss, std::size_t penalty, std::size_t sum) {
    std::vector<Node>& nodes = program_.nodes();
    const std::optional<std::size_t> k = gradient_operand(proportions_, nodes[loss]);
    if (!k || nodes[penalty].op != nodes[loss].op ||
        to_string(nodes[penalty].attributes) != to_string(nodes[loss].attributes)) {
      return;
    }
    const Value x = nodes[loss].inputs[1 - *k], v = nodes[penalty].inputs[1 - *k];
    const Value scaled = nodes[loss].inputs[*k], plain = nodes[penalty].inputs[*k];
    const Proportional known = *proportions_.find(scaled);
    const Value its = program_.reshape(known.of, program_.shape(scaled));
    if (!proportions_.is_same(plain, its) || program_.shape(x) != program_.shape(v) ||
        program_.dtype(x) != program_.dtype(v) || program_.shape(x)[0] != program_.shape(known.scale)[0]) {
      return;
    }
    Node product = nodes[penalty];
    const std::string name = program_.info(nodes[sum].outputs[0]).name;
    nodes[penalty] = Node{};  // neither outputs nor effect: pruned
    const Value both = record_at(loss, name, [&] { return ops::scale_rows(program_, factors_of(known), x, v); });
    product.inputs[1 - *k] = both;
    product.outputs = nodes[sum].outputs;
    product.has_effect = nodes[sum].has_effect;
    nodes[sum] = std::move(product);
  }

  // A node that is merged, where what it makes is still read.
  void replace(std::size_t index) {
    const Node& node = program_.nodes()[index];
    const Value made = node.outputs[0];
    const auto readers = readers_.find(made.id);
    if (readers == readers_.end()) {
      return;
    }
    if (readers->second.size() == 1 && weigh_sum(readers->second[0], index)) {
      return;
    }
    const bool begins = std::none_of(node.inputs.begin(), node.inputs.end(), [&](Value input) {
      const int maker = input.exists() ? program_.info(program_.root(input)).producer : -1;
      return maker >= 0 && proportions_.is_merged(static_cast<std::size_t>(maker));
    });
    if (begins && !node.traits.is_product) {
      return;  // it reads what is there
    }
    const Proportional known = *proportions_.find(made);
    const std::string name = program_.info(made).name;
    record_at(index, name, [&] { return ops::scale_rows(program_, factors_of(known), known.of); });
    program_.nodes()[index].outputs = {made};
  }

  // A bias's gradient: the sum over rows and places of l dz, as that over places of dz, and then over rows times l. The
  // first sum takes the place of the node that makes l dz.
  bool weigh_sum(std::size_t index, std::size_t maker) {
    const Node& sum = program_.nodes()[index];
    if (sum.op != "reduce_sum") {
      return false;
    }
    const auto reduce = std::any_cast<Reduce>(sum.parameters);
    const Value scaled = sum.inputs[0], result = sum.outputs[0];
    const Shape shape = program_.shape(scaled);
    const Proportional known = *proportions_.find(scaled);
    if (reduce.axes != Axes::each_column || shape.rank() < 2 || shape[0] != program_.shape(known.scale)[0] ||
        program_.is_kept(result)) {
      return false;
    }
    const bool has_effect = sum.has_effect;
    const std::string name = program_.info(result).name;
    const Value of_rows = record_at(maker, name, [&] {
      return ops::reduce_sum(program_, {Axes::each_row_and_column, reduce.scale}, program_.reshape(known.of, shape));
    });
    const Value weighed = record_at(index, name, [&] {
      const Value factors = program_.reshape(known.scale, {1, shape[0]});
      return ops::matmul(program_, {}, factors, of_rows, DType::f32);
    });
    program_.nodes()[index].has_effect = has_effect;
    ValueInfo& info = program_.info(result);  // now a view, of rank 1
    program_.info(weighed).bound = info.bound;
    info.bound = {};
    info.alias = weighed;
    info.producer = -1;
    return true;
  }

  // l, a number a row.
  Value factors_of(const Proportional& known) {
    return program_.reshape(known.scale, {program_.shape(known.scale)[0]});
  }

  // What `record` records, one node, in the place of another.
  template <class Record>
  Value record_at(std::size_t index, const std::string& name, const Record& record) {
    const Value made = record();
    Node last = std::move(program_.nodes().back());
    program_.nodes().pop_back();
    program_.nodes()[index] = std::move(last);
    program_.info(made).producer = static_cast<int>(index);
    program_.info(made).name = name;
    return made;
  }

  Program& program_;
  const Proportions& proportions_;
  Readers readers_;
};

}  // namespace

void share_proportional_gradients(Program& program) {
  program.prune();
  const Proportions proportions(program);
  if (proportions.saves_a_product()) {
    Rewriting(program, proportions).run();
    program.prune();
  }
}

}  // namespace duel

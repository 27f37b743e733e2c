#include "kernels/step_state.h"
#include "engine/ops/ops.h"

#include <array>

namespace duel::ops {

void store_scalars(Program& program, const std::vector<int>& columns, std::vector<Value> scalars, Value step,
                   View ring) {
  Node node;
  node.op = "store_scalars";
  node.bytes = 2 * sizeof(float) * static_cast<double>(scalars.size()) + sizeof(std::int64_t);
  node.inputs = std::move(scalars);
  node.inputs.push_back(step);
  node.run = [columns, ring](Context& c, Views in, Views) {
    std::array<StoredScalar, kMostStoredScalars> list;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      list[i] = {columns[i], in[i]};
    }
    duel::store_scalars(c, std::span(list).first(columns.size()), in.back(), ring);
  };
  node.state = {ring};
  program.record_effect(std::move(node));
}

void advance_counter(Program& program, Value step) {
  Node node;
  node.op = "advance_counter";
  node.inputs = {step};
  node.run = [](Context& c, Views in, Views) { duel::advance_counter(c, in[0]); };
  node.state = {program.described(step)};
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

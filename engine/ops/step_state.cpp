#include "kernels/step_state.h"
#include "engine/ops/ops.h"

#include <array>

namespace duel::ops {

void store_scalars(Program& program, const std::vector<int>& columns, std::vector<Value> scalars, Value step,
                   Value ring) {
  Node node;
  node.op = "store_scalars";
  node.parameters = columns;
  node.attributes = {{"columns", columns}};
  node.bytes = 2 * sizeof(float) * static_cast<double>(scalars.size()) + sizeof(std::int64_t);
  node.inputs = std::move(scalars);
  node.inputs.insert(node.inputs.end(), {step, ring});
  node.run = [columns](Context& c, Views in, Views) {
    std::array<StoredScalar, kMostStoredScalars> list;
    const std::size_t count = columns.size();
    for (std::size_t i = 0; i < count; ++i) {
      list[i] = {columns[i], in[i]};
    }
    duel::store_scalars(c, std::span(list).first(count), in[count], in[count + 1]);
  };
  node.writes = {ring};
  program.record_effect(std::move(node));
}

void advance_counter(Program& program, Value step) {
  Node node;
  node.op = "advance_counter";
  node.inputs = {step};
  node.run = [](Context& c, Views in, Views) { duel::advance_counter(c, in[0]); };
  node.writes = {step};
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

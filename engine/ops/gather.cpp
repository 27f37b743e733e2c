#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

// A batch of pictures converted to `dtype`; of the array that it comes from, only as many bytes are read.
Value record_batch(Program& program, Node node, Value pictures, Value step, int batch, DType dtype) {
  node.constant = true;
  node.inputs = {pictures, step};
  const View y{nullptr, program.shape(pictures).with_rows(batch), dtype};
  node.bytes = static_cast<double>(y.bytes()) + static_cast<double>(y.count());
  return program.record(std::move(node), y.shape, dtype);
}

}  // namespace

Value gather_pictures(Program& program, const Random& order, Value pictures, Value step, int batch, DType dtype) {
  Node node;
  node.op = "gather_pictures";
  node.parameters = order;
  node.attributes = attributes_of(order);
  node.run = [order](Context& c, Views in, Views out) { duel::gather_pictures(c, order, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), pictures, step, batch, dtype);
}

Value load_pictures(Program& program, const PictureSlot& slot, Value ring, Value step, int batch, DType dtype) {
  Node node;
  node.op = "load_pictures";
  node.parameters = slot;
  node.attributes = {{"rows", slot.rows}, {"first", slot.first}};
  node.run = [slot](Context& c, Views in, Views out) { duel::load_pictures(c, slot, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), ring, step, batch, dtype);
}

}  // namespace duel::ops

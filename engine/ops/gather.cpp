#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel::ops {

namespace {

// A batch of rows converted to `dtype`; of the array that it comes from, only as many bytes are read.
Value record_batch(Program& program, Node node, Value from, Value step, DType stored, const Shape& batch, DType dtype) {
  node.constant = true;
  node.inputs = {from, step};
  const View y{nullptr, batch, dtype};
  node.bytes = static_cast<double>(y.bytes()) + static_cast<double>(View{nullptr, batch, stored}.bytes());
  return program.record(std::move(node), batch, dtype);
}

}  // namespace

Value gather_rows(Program& program, const GatherRows& p, Value rows, Value step, int batch, DType dtype) {
  Node node;
  node.op = "gather_rows";
  node.parameters = p;
  node.attributes = attributes_of(p.order);
  node.run = [p](Context& c, Views in, Views out) { duel::gather_rows(c, p, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), rows, step, program.dtype(rows), program.shape(rows).with_rows(batch),
                      dtype);
}

Value load_rows(Program& program, const LoadRows& p, Value ring, Value step, const Shape& batch, DType dtype) {
  Node node;
  node.op = "load_rows";
  node.parameters = p;
  node.attributes = {{"offset", p.offset}};
  node.run = [p](Context& c, Views in, Views out) { duel::load_rows(c, p, in[0], in[1], out[0]); };
  return record_batch(program, std::move(node), ring, step, p.dtype, batch, dtype);
}

}  // namespace duel::ops

#include "kernels/rows.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value concat_rows(Program& program, Value a, Value b) {
  const int first = program.shape(a)[0], second = program.shape(b)[0];
  Node node;
  node.op = "concat_rows";
  node.inputs = {a, b};
  node.run = [](Context& c, Views in, Views out) { duel::concat_rows(c, in[0], in[1], out[0]); };
  node.derive = [first, second](Backward& back) {
    if (back.wants(0)) {
      back.set(0, slice_rows(back.program(), back.gradient(), 0, first));
    }
    if (back.wants(1)) {
      back.set(1, slice_rows(back.program(), back.gradient(), first, second));
    }
  };
  return program.record(std::move(node), program.shape(a).with_rows(first + second), program.dtype(a));
}

Value slice_rows(Program& program, Value x, int begin, int count) {
  const int rows = program.shape(x)[0];
  Node node;
  node.op = "slice_rows";
  node.parameters = begin;
  node.attributes = {{"begin", begin}};
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::slice_rows(c, begin, in[0], out[0]); };
  node.derive = [begin, rows](Backward& back) { back.set(0, pad_rows(back.program(), back.gradient(), begin, rows)); };
  const View y{nullptr, program.shape(x).with_rows(count), program.dtype(x)};
  node.bytes = 2 * bytes_of({y});
  return program.record(std::move(node), y.shape, y.dtype);
}

Value pad_rows(Program& program, Value x, int begin, int count) {
  const int rows = program.shape(x)[0];
  Node node;
  node.op = "pad_rows";
  node.parameters = begin;
  node.attributes = {{"begin", begin}};
  node.inputs = {x};
  node.run = [begin](Context& c, Views in, Views out) { duel::pad_rows(c, begin, in[0], out[0]); };
  node.derive = [begin, rows](Backward& back) {
    back.set(0, slice_rows(back.program(), back.gradient(), begin, rows));
  };
  return program.record(std::move(node), program.shape(x).with_rows(count), program.dtype(x));
}

void write_to(Program& program, Value value, Value place) {
  if (program.place_at(value, place)) {
    return;
  }
  // It lives elsewhere already: it is a parameter, or another gradient too.
  program.place_at(copy(program, value), place);
}

}  // namespace duel::ops

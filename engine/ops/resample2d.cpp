#include "engine/ops/ops.h"

#include <fmt/ranges.h>

namespace duel::ops {

Value resample2d(Program& program, const Resample2d& p, Value x, int height, int width) {
  const Shape from = program.shape(x), to{from[0], height, width, from[3]};
  Node node;
  node.op = "resample2d";
  node.parameters = p;
  node.attributes = {{"up", p.up},
                     {"down", p.down},
                     {"pad", p.pad},
                     {"taps", fmt::format("{}", fmt::join(p.taps, p.taps + p.count, ","))}};
  node.inputs = {x};
  node.prepare = [p](Context& c, Views in, Views out) { duel::prepare_resample2d(c, p, in[0], out[0]); };
  node.run = [p](Context& c, Views in, Views out) { duel::resample2d(c, p, in[0], out[0]); };
  node.flops = resample2d_cost(p, program.described(x), {nullptr, to, program.dtype(x)}).flops;
  node.derive = [p, from](Backward& back) {
    back.set(0, resample2d(back.program(), adjoint(p), back.gradient(), from[1], from[2]));
  };
  return program.record(std::move(node), to, program.dtype(x));
}

}  // namespace duel::ops

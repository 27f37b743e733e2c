#include "engine/ops/ops.h"

namespace duel::ops {

Value global_norm(Program& program, Value gradients) {
  Node node;
  node.op = "global_norm";
  node.inputs = {gradients};
  node.run = [](Context& c, Views in, Views out) { duel::global_norm(c, in[0], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

Value clip_scale(Program& program, double max_norm, Value norm) {
  Node node;
  node.op = "clip_scale";
  node.inputs = {norm};
  node.run = [max_norm](Context& c, Views in, Views out) { duel::clip_scale(c, max_norm, in[0], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

void adam(Program& program, const Adam& p, Value step, Value gradient_scale, Value gradients, const AdamState& state) {
  check_adam(program.scope() + "/adam", p);
  Node node;
  node.op = "adam";
  node.inputs = {step, gradient_scale, gradients};
  node.run = [p, state](Context& c, Views in, Views) { duel::adam(c, p, in[0], in[1], in[2], state); };
  node.state = {state.w, state.m, state.v, state.compute};
  node.flops = adam_cost(state).flops;
  node.bytes = adam_cost(state).bytes;
  program.record_effect(std::move(node));
}

void ema(Program& program, const Schedule& decay, Value step, Value w, View average) {
  check_schedule(program.scope() + "/ema: decay", decay, 0, 1);
  Node node;
  node.op = "ema";
  node.inputs = {decay.changes() ? step : Value{}, w};
  node.run = [decay, average](Context& c, Views in, Views) { duel::ema(c, decay, in[0], in[1], average); };
  node.state = {average};
  node.bytes = bytes_of({program.described(w)}) + 2 * bytes_of({average});
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

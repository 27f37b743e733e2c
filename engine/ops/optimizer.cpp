#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel {

Attribute attribute_of(const std::string& name, const Schedule& schedule) {
  const bool is_number = !schedule.changes();
  return is_number ? Attribute(name, schedule.from) : Attribute(name, to_string(schedule));
}

Node adam_node(const Program& program, const Adam& p, const std::vector<Value>& inputs) {
  constexpr std::size_t kW = 3, kAverage = 7;
  const bool averages = inputs.size() > kAverage;
  Node node;
  node.op = "adam";
  node.parameters = p;
  node.attributes = {attribute_of("learning_rate", p.learning_rate),
                     {"beta1", p.beta1},
                     attribute_of("beta2", p.beta2),
                     {"epsilon", p.epsilon},
                     {"weight_decay", p.weight_decay}};
  if (averages) {
    node.attributes.push_back(attribute_of("average_decay", p.average_decay));
  }
  node.inputs = inputs;
  node.writes.assign(inputs.begin() + kW, inputs.end());
  node.run = [p, averages](Context& c, Views in, Views) {
    duel::adam(c, p, in[0], in[1], in[2], {in[3], in[4], in[5], in[6], averages ? in[kAverage] : View{}});
  };
  const auto described = [&](std::size_t i) { return program.described(inputs[i]); };
  const AdamState state{described(3), described(4), described(5), described(6)};
  AdamState all = state;
  all.average = averages ? described(kAverage) : View{};
  const Cost cost = adam_cost(all);
  node.flops = cost.flops;
  node.bytes = cost.bytes;
  node.traits.update_bytes = adam_cost(state).bytes - bytes_of({described(2)});  // an average is no optimiser's
  return node;
}

}  // namespace duel

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
  node.parameters = max_norm;
  node.attributes = {{"max_norm", max_norm}};
  node.inputs = {norm};
  node.run = [max_norm](Context& c, Views in, Views out) { duel::clip_scale(c, max_norm, in[0], out[0]); };
  return program.record(std::move(node), {1}, DType::f32);
}

void adam(Program& program, const Adam& p, Value step, Value gradient_scale, Value gradients, const AdamValues& of) {
  check_adam(program.scope() + "/adam", p);
  program.record_effect(adam_node(program, p, {step, gradient_scale, gradients, of.w, of.m, of.v, of.compute}));
}

void ema(Program& program, const Schedule& decay, Value step, Value w, Value average) {
  check_schedule(program.scope() + "/ema: decay", decay, 0, 1);
  Node node;
  node.op = "ema";
  node.parameters = decay;
  node.attributes = {attribute_of("decay", decay)};
  node.inputs = {decay.changes() ? step : Value{}, w, average};
  node.run = [decay](Context& c, Views in, Views) { duel::ema(c, decay, in[0], in[1], in[2]); };
  node.writes = {average};
  node.bytes = bytes_of({program.described(w)}) + 2 * bytes_of({program.described(average)});
  program.record_effect(std::move(node));
}

}  // namespace duel::ops

#include "kernels/scale_scheduled.h"
#include "engine/ops/gradients.h"
#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value scale_scheduled(Program& program, const Schedule& scale, Value step, Value x) {
  check_schedule(program.scope() + "/scale_scheduled", scale);
  Node node = pointwise("scale_scheduled", {x, step}, [scale](Context& c, Views in, Views out) {
    duel::scale_scheduled(c, scale, in[1], in[0], out[0]);
  });
  node.parameters = scale;
  node.attributes = {attribute_of("scale", scale)};
  node.derive = [scale](Backward& back) {
    back.set(0, scale_scheduled(back.program(), scale, back.input(1), back.gradient()));
  };
  return program.record(std::move(node), program.shape(x), DType::f32);
}

}  // namespace duel::ops

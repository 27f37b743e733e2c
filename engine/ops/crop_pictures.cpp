#include "engine/ops/nodes.h"
#include "engine/ops/ops.h"

namespace duel::ops {

Value crop_pictures(Program& program, const CropPictures& p, Value x, Value step) {
  const Shape output = crop_pictures_output(p, program.shape(x));
  Node node;
  node.op = "crop_pictures";
  node.parameters = p;
  node.attributes = attributes_of(p.random);
  node.attributes.push_back({"height", p.height});
  node.attributes.push_back({"width", p.width});
  node.attributes.push_back({"scale", p.scale});
  node.attributes.push_back({"mirrors", p.mirrors});
  node.attributes.push_back({"turns", p.turns});
  node.constant = true;
  node.inputs = {x, step};
  node.bytes = 2 * static_cast<double>(View{nullptr, output, program.dtype(x)}.bytes());
  node.run = [p](Context& c, Views in, Views out) { duel::crop_pictures(c, p, in[0], in[1], out[0]); };
  return program.record(std::move(node), output, program.dtype(x));
}

}  // namespace duel::ops

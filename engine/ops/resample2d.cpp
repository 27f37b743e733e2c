#include "engine/ops/ops.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace duel::ops {

namespace {

// What a transposed or a plain convolution along one axis leaves over behind its output: more than it needs where
// negative.
struct Ends {
  int rows, columns;
  std::vector<int> pads(int before) const { return {before, before, std::max(rows, 0), std::max(columns, 0)}; }
};

// Channel by channel a convolution of the filter with itself turned by a right angle; enlarged, a transposed one, whose
// filter is turned round. Of both factors at once, and of outputs that are cut short, there is no form.
std::function<OnnxForm()> onnx_form(const Resample2d& p, const Shape& x, const Shape& y) {
  const bool is_enlarged = p.up > 1;
  const int before = is_enlarged ? p.count - 1 - p.pad : p.pad;
  const auto end = [&](int from, int to) {
    return is_enlarged ? (from - 1) * p.up + p.count - before - to : (to - 1) * p.down + p.count - p.pad - from;
  };
  const Ends ends{end(x[1], y[1]), end(x[2], y[2])};
  const int least = is_enlarged ? 1 - p.up : 1 - p.down;
  if ((is_enlarged && p.down > 1) || ends.rows < least || ends.columns < least) {
    return {};
  }
  return [p, is_enlarged, before, ends, channels = x[3]] {
    std::vector<float> filter;
    for (int channel = 0; channel < channels; ++channel) {
      for (int t = 0; t < p.count * p.count; ++t) {
        const int at = is_enlarged ? p.count * p.count - 1 - t : t;
        filter.push_back(p.taps[at / p.count] * p.taps[at % p.count]);
      }
    }
    const int stride = is_enlarged ? p.up : p.down;
    Attributes attributes = {
        {"strides", std::vector<int>{stride, stride}}, {"pads", ends.pads(before)}, {"group", channels}};
    if (is_enlarged) {
      attributes.push_back({"output_padding", std::vector<int>{std::max(-ends.rows, 0), std::max(-ends.columns, 0)}});
    }
    OnnxForm form{OnnxForm::Layout::channels_first};
    form.add(is_enlarged ? "ConvTranspose" : "Conv",
             {OnnxOperand::input(0), OnnxOperand::array(std::move(filter), {channels, 1, p.count, p.count})},
             std::move(attributes));
    return form;
  };
}

}  // namespace

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
  node.onnx = onnx_form(p, from, to);
  node.prepare = [p](Context& c, Views in, Views out) { duel::prepare_resample2d(c, p, in[0], out[0]); };
  node.run = [p](Context& c, Views in, Views out) { duel::resample2d(c, p, in[0], out[0]); };
  node.flops = resample2d_cost(p, program.described(x), {nullptr, to, program.dtype(x)}).flops;
  node.derive = [p, from](Backward& back) {
    back.set(0, resample2d(back.program(), adjoint(p), back.gradient(), from[1], from[2]));
  };
  return program.record(std::move(node), to, program.dtype(x));
}

}  // namespace duel::ops

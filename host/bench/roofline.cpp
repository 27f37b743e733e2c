#include "host/bench/roofline.h"

#include "host/train/memory_use.h"
#include "kernels/conv2d.h"

#include <algorithm>
#include <map>
#include <set>

namespace duel {

namespace {

// The type whose peak an operator's arithmetic has: bf16 where any input is.
DType arithmetic_type(const Program& program, const Node& node) {
  for (const Value input : node.inputs) {
    if (input.exists() && program.dtype(input) == DType::bf16) {
      return DType::bf16;
    }
  }
  return DType::f32;
}

bool is_convolution(const Node& node) {
  return node.op.starts_with("conv2d");
}

// The arrays of the three, by what they are in the forward pass.
struct ConvolutionShapes {
  Shape x, w, y;
};

ConvolutionShapes shapes_of(const Program& program, const Node& node) {
  const auto shape = [&](Value value) { return program.shape(value); };
  const Value first = node.inputs[0], second = node.inputs[1], result = node.outputs[0];
  if (node.op == "conv2d_backward_input") {
    return {shape(result), shape(second), shape(first)};
  }
  if (node.op == "conv2d_backward_weight") {
    return {shape(first), shape(result), shape(second)};
  }
  return {shape(first), shape(second), shape(result)};
}

// Of the filter's taps along one axis, at all places together: the share that falls on the picture, not on padding.
double share_inside(int extent, int filter, int places, int stride, int pad) {
  int inside = 0;
  for (int p = 0; p < places; ++p) {
    for (int r = 0; r < filter; ++r) {
      const int at = p * stride + r - pad;
      inside += at >= 0 && at < extent ? 1 : 0;
    }
  }
  return static_cast<double>(inside) / (places * filter);
}

double convolution_us(const Program& program, const Node& node, const Ceilings& ceilings, double tflops) {
  const auto conv = std::any_cast<Conv2d>(node.parameters);
  const auto [x, w, y] = shapes_of(program, node);
  const double inside = share_inside(x[1], w[1], y[1], conv.stride, conv.pad_top) *
                        share_inside(x[2], w[2], y[2], conv.stride, conv.pad_left);
  const double direct = tflops > 0 ? inside * node.flops / tflops / 1e6 : 0;
  const bool has_winograd = conv.stride == 1 && w[1] == 3 && w[2] == 3 && ceilings.f32 > 0;
  constexpr double kMultiplications = 36.0 / (16 * 9);  // of F(4x4,3x3), beside the direct algorithm
  return has_winograd ? std::min(direct, kMultiplications * node.flops / ceilings.f32 / 1e6) : direct;
}

double operation_us(const Program& program, const Node& node, const Ceilings& ceilings, bool allow_tf32) {
  const bool is_product = node.op == "matmul" || is_convolution(node);
  // Only products use tensor cores; everything else computes in f32.
  const double tflops = is_product ? ceilings.tflops(arithmetic_type(program, node), allow_tf32) : ceilings.f32;
  if (is_convolution(node)) {
    return convolution_us(program, node, ceilings, tflops);
  }
  return tflops > 0 ? node.flops / tflops / 1e6 : 0;
}

// Bytes of all that a node touches, each once: an array that is changed where it lies is read and written.
double working_set(const Program& program, const Node& node) {
  double bytes = 0;
  std::set<int> roots;
  const auto add = [&](Value value) {
    if (value.exists() && roots.insert(program.root(value).id).second) {
      bytes += static_cast<double>(program.described(value).bytes());
    }
  };
  std::for_each(node.inputs.begin(), node.inputs.end(), add);
  for (std::size_t i = node.in_place ? 1 : 0; i < node.outputs.size(); ++i) {
    add(node.outputs[i]);
  }
  for (const View& view : node.state) {
    bytes += static_cast<double>(view.bytes());
  }
  return std::min(bytes, program.cost(node).bytes);
}

}  // namespace

NodeFloor floor_of(const Program& program, const Node& node, const Ceilings& ceilings, bool allow_tf32) {
  return {ceilings.least_us(program.cost(node).bytes, working_set(program, node)),
          operation_us(program, node, ceilings, allow_tf32)};
}

Roofline make_roofline(const Options& options, const Data& dataset, const Ceilings& ceilings) {
  const RecordedStep step(options, dataset);
  Roofline roofline;
  std::map<NodeKey, OperatorFloor> operators;
  double peak_us = 0;
  for (const Program* program : {&step.phases().discriminator, &step.phases().generator}) {
    for (const Node& node : program->nodes()) {
      const Cost cost = program->cost(node);
      const NodeFloor floor = floor_of(*program, node, ceilings, options.precision == "tf32");
      OperatorFloor& entry = operators[key_of(*program, node)];
      ++entry.calls;
      entry.gflop += cost.flops / 1e9;
      entry.megabytes += cost.bytes / 1e6;
      entry.us += floor.us();
      entry.by_operations = floor.by_operations();
      peak_us += floor.operation_us;
      roofline.optimiser_megabytes +=
          node.op == "adam" ? (cost.bytes - static_cast<double>(program->described(node.inputs[2]).bytes())) / 1e6 : 0;
    }
    roofline.nodes += static_cast<int>(program->nodes().size());
  }
  for (auto& [key, entry] : operators) {
    entry.key = key;
    roofline.gflop += entry.gflop;
    roofline.megabytes += entry.megabytes;
    roofline.serial_us += entry.us;
    roofline.operators.push_back(entry);
  }
  std::sort(roofline.operators.begin(), roofline.operators.end(),
            [](const OperatorFloor& a, const OperatorFloor& b) { return a.us > b.us; });
  roofline.overlapped_us = std::max(peak_us, roofline.optimiser_megabytes / ceilings.gigabytes_per_second * 1e3);
  return roofline;
}

}  // namespace duel

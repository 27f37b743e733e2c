// Runs a graph of ONNX operators as plain loops in double, by the specification of operator set 17: what the exported
// graphs hold, and no more.
#pragma once

#include "host/export/onnx_graph.h"
#include "kernels/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace duel::test {

using OnnxShape = std::vector<std::int64_t>;

struct OnnxValues {
  OnnxShape shape;
  std::vector<double> values;
};

class OnnxInterpreter {
public:
  explicit OnnxInterpreter(const OnnxGraph& graph) : graph_(graph) {
    for (const OnnxTensor& tensor : graph.initializers) {
      known_[tensor.name] = {tensor.shape, tensor.type == OnnxType::f32 ? numbers<float>(tensor.bytes)
                                                                        : numbers<std::int64_t>(tensor.bytes)};
    }
  }

  std::map<std::string, OnnxValues> run(const std::map<std::string, OnnxValues>& inputs) {
    known_.insert(inputs.begin(), inputs.end());
    for (const OnnxNode& node : graph_.nodes) {
      const auto [place, is_new] = known_.emplace(node.outputs.at(0), result_of(node));
      check(is_new, "{} is made twice", place->first);
    }
    std::map<std::string, OnnxValues> outputs;
    for (const OnnxArray& output : graph_.outputs) {
      outputs[output.name] = known_.at(output.name);
    }
    return outputs;
  }

private:
  template <class T>
  static std::vector<double> numbers(std::span<const std::byte> bytes) {
    std::vector<T> typed(bytes.size() / sizeof(T));
    std::memcpy(typed.data(), bytes.data(), bytes.size());
    return {typed.begin(), typed.end()};
  }

  static std::int64_t count_of(const OnnxShape& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }

  // Calls `visit` with each place of an array, the last extent fastest.
  static void each_place(const OnnxShape& shape, const std::function<void(const OnnxShape&)>& visit) {
    OnnxShape at(shape.size(), 0);
    for (std::int64_t i = 0; i < count_of(shape); ++i) {
      visit(at);
      for (std::size_t axis = shape.size(); axis-- > 0 && ++at[axis] == shape[axis];) {
        at[axis] = 0;
      }
    }
  }

  // The element at a place of an array that is broadcast to that place's array.
  static double at(const OnnxValues& x, const OnnxShape& place) {
    std::int64_t offset = 0;
    const std::size_t skipped = place.size() - x.shape.size();
    for (std::size_t axis = 0; axis < x.shape.size(); ++axis) {
      offset = offset * x.shape[axis] + (x.shape[axis] == 1 ? 0 : place[axis + skipped]);
    }
    return x.values.at(static_cast<std::size_t>(offset));
  }

  static OnnxValues made(const OnnxShape& shape, const std::function<double(const OnnxShape&)>& element) {
    OnnxValues y{shape, {}};
    each_place(shape, [&](const OnnxShape& place) { y.values.push_back(element(place)); });
    return y;
  }

  template <class T>
  static T attribute(const OnnxNode& node, const std::string& name) {
    for (const Attribute& each : node.attributes) {
      if (each.name == name) {
        return std::get<T>(each.value);
      }
    }
    throw_error(Error::Kind::internal, "{}: has no attribute {}", node.name, name);
  }
  static std::int64_t integer(const OnnxNode& node, const std::string& name) {
    return attribute<std::int64_t>(node, name);
  }
  static OnnxShape list(const OnnxNode& node, const std::string& name) { return attribute<OnnxShape>(node, name); }

  const OnnxValues& in(const OnnxNode& node, std::size_t i) const { return known_.at(node.inputs.at(i)); }
  OnnxShape integers(const OnnxNode& node, std::size_t i) const {
    return {in(node, i).values.begin(), in(node, i).values.end()};
  }

  OnnxValues result_of(const OnnxNode& node) const {
    const std::map<std::string, std::function<double(double)>> pointwise = {
        {"Relu", [](double x) { return std::max(x, 0.0); }},
        {"LeakyRelu", [&](double x) { return x > 0 ? x : attribute<double>(node, "alpha") * x; }},
        {"Tanh", [](double x) { return std::tanh(x); }},
        {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
        {"Exp", [](double x) { return std::exp(x); }},
        {"Log", [](double x) { return std::log(x); }},
        {"Sqrt", [](double x) { return std::sqrt(x); }},
        {"Abs", [](double x) { return std::abs(x); }},
        {"Sign", [](double x) { return x > 0   ? 1.0
                                       : x < 0 ? -1.0
                                               : 0.0; }},
        {"Sin", [](double x) { return std::sin(x); }},
        {"Cos", [](double x) { return std::cos(x); }},
        {"Reciprocal", [](double x) { return 1 / x; }},
        {"Softplus", [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }},
        {"Identity", [](double x) { return x; }},
        {"Cast", [&](double x) { return integer(node, "to") == static_cast<int>(OnnxType::u8) ? std::floor(x) : x; }},
    };
    const std::map<std::string, std::function<double(double, double)>> paired = {
        {"Add", [](double a, double b) { return a + b; }},
        {"Mul", [](double a, double b) { return a * b; }},
        {"Div", [](double a, double b) { return a / b; }},
    };
    const OnnxValues& x = in(node, 0);
    if (const auto found = pointwise.find(node.op); found != pointwise.end()) {
      return made(x.shape, [&](const OnnxShape& place) { return found->second(at(x, place)); });
    }
    if (const auto found = paired.find(node.op); found != paired.end()) {
      const OnnxValues& b = in(node, 1);
      const OnnxShape shape = broadcast(x.shape, b.shape);
      return made(shape, [&](const OnnxShape& place) { return found->second(at(x, place), at(b, place)); });
    }
    if (node.op == "Clip") {
      const double low = in(node, 1).values.at(0), high = in(node, 2).values.at(0);
      return made(x.shape, [&](const OnnxShape& place) { return std::clamp(at(x, place), low, high); });
    }
    if (node.op == "Gemm" || node.op == "MatMul") {
      return product(node);
    }
    if (node.op == "Conv" || node.op == "ConvTranspose") {
      return convolution(node);
    }
    if (node.op == "BatchNormalization") {
      const double epsilon = attribute<double>(node, "epsilon");
      return made(x.shape, [&](const OnnxShape& place) {
        const auto of = [&](std::size_t i) { return in(node, i).values.at(static_cast<std::size_t>(place[1])); };
        return of(1) * (at(x, place) - of(3)) / std::sqrt(of(4) + epsilon) + of(2);
      });
    }
    if (node.op == "LayerNormalization" || node.op == "InstanceNormalization") {
      return normalized(node);
    }
    if (node.op == "Pad" || node.op == "GridSample") {
      return looked_up(node);
    }
    return rearranged(node);
  }

  // Of the last extent, or of all extents behind the first two; the scale and shift along that or the second.
  OnnxValues normalized(const OnnxNode& node) const {
    const OnnxValues& x = in(node, 0);
    const bool is_layer = node.op == "LayerNormalization";
    check(!is_layer || integer(node, "axis") == -1, "{}: along the last extent alone", node.name);
    const std::int64_t size = is_layer ? x.shape.back() : count_of(OnnxShape(x.shape.begin() + 2, x.shape.end()));
    const double epsilon = attribute<double>(node, "epsilon");
    OnnxValues y = x;
    for (std::int64_t first = 0; first < count_of(x.shape); first += size) {
      const auto begin = x.values.begin() + first;
      const double mean = std::accumulate(begin, begin + size, 0.0) / static_cast<double>(size);
      double variance = 0;
      std::for_each(begin, begin + size, [&](double value) { variance += (value - mean) * (value - mean); });
      const double deviation = std::sqrt(variance / static_cast<double>(size) + epsilon);
      for (std::int64_t i = 0; i < size; ++i) {
        const auto c = static_cast<std::size_t>(is_layer ? i : first / size % x.shape[1]);
        y.values[static_cast<std::size_t>(first + i)] =
            (begin[i] - mean) / deviation * in(node, 1).values.at(c) + in(node, 2).values.at(c);
      }
    }
    return y;
  }

  OnnxValues looked_up(const OnnxNode& node) const {
    const OnnxValues& x = in(node, 0);
    OnnxShape shape = x.shape;
    const auto mode = attribute<std::string>(node, "mode");
    if (node.op == "Pad") {
      const OnnxShape pads = integers(node, 1);
      for (std::size_t axis = 0; axis < 4; ++axis) {
        shape[axis] += pads[axis] + pads[axis + 4];
      }
      return made(shape, [&](OnnxShape place) {
        for (std::size_t axis = 0; axis < 4; ++axis) {
          const std::int64_t i = place[axis] - pads[axis], last = x.shape[axis] - 1;
          place[axis] = mode == "edge" ? std::clamp<std::int64_t>(i, 0, last) : i < 0 ? -i : last - std::abs(i - last);
        }
        return at(x, place);
      });
    }
    const OnnxValues& grid = in(node, 1);
    check(mode == "bilinear" && integer(node, "align_corners") == 0, "{}: bilinear, from edge to edge", node.name);
    const bool is_border = attribute<std::string>(node, "padding_mode") == "border";
    shape[2] = grid.shape[1];
    shape[3] = grid.shape[2];
    return made(shape, [&](const OnnxShape& y) {
      double position[2], sum = 0;
      for (const std::int64_t axis : {0, 1}) {
        const auto extent = static_cast<double>(x.shape[static_cast<std::size_t>(2 + axis)]);
        position[axis] = ((at(grid, {y[0], y[2], y[3], 1 - axis}) + 1) * extent - 1) / 2;
        position[axis] = is_border ? std::clamp(position[axis], 0.0, extent - 1) : position[axis];
      }
      for (std::int64_t h = 0; h < x.shape[2]; ++h) {
        for (std::int64_t w = 0; w < x.shape[3]; ++w) {
          const double of_row = 1 - std::abs(position[0] - static_cast<double>(h));
          const double of_column = 1 - std::abs(position[1] - static_cast<double>(w));
          sum += std::max(0.0, of_row) * std::max(0.0, of_column) * at(x, {y[0], y[1], h, w});
        }
      }
      return sum;
    });
  }

  static OnnxShape broadcast(const OnnxShape& a, const OnnxShape& b) {
    OnnxShape shape = a.size() < b.size() ? b : a;
    const OnnxShape& other = a.size() < b.size() ? a : b;
    for (std::size_t axis = 0; axis < other.size(); ++axis) {
      std::int64_t& extent = shape[shape.size() - other.size() + axis];
      check(extent == other[axis] || extent == 1 || other[axis] == 1, "extents {} and {} cannot be broadcast", extent,
            other[axis]);
      extent = std::max(extent, other[axis]);
    }
    return shape;
  }

  OnnxValues product(const OnnxNode& node) const {
    const OnnxValues &a = in(node, 0), &b = in(node, 1);
    const bool is_gemm = node.op == "Gemm";
    const bool turns_a = is_gemm && integer(node, "transA") != 0, turns_b = is_gemm && integer(node, "transB") != 0;
    const std::size_t rank = a.shape.size();
    OnnxShape shape = a.shape;
    shape[rank - 2] = a.shape[rank - (turns_a ? 1 : 2)];
    shape[rank - 1] = b.shape[rank - (turns_b ? 2 : 1)];
    const std::int64_t inner = a.shape[rank - (turns_a ? 2 : 1)];
    check(inner == b.shape[rank - (turns_b ? 1 : 2)], "{}: inner extents differ", node.name);
    return made(shape, [&](const OnnxShape& place) {
      double sum = node.inputs.size() > 2 ? at(in(node, 2), place) : 0;
      OnnxShape of_a = place, of_b = place;
      for (std::int64_t k = 0; k < inner; ++k) {
        of_a[rank - (turns_a ? 2 : 1)] = k;
        of_a[rank - (turns_a ? 1 : 2)] = place[rank - 2];
        of_b[rank - (turns_b ? 1 : 2)] = k;
        of_b[rank - (turns_b ? 2 : 1)] = place[rank - 1];
        sum += at(a, of_a) * at(b, of_b);
      }
      return sum;
    });
  }

  // Both as sums over the pairs of a place of the picture and a tap that meet.
  OnnxValues convolution(const OnnxNode& node) const {
    const OnnxValues &x = in(node, 0), &w = in(node, 1);
    const bool is_transposed = node.op == "ConvTranspose";
    const OnnxShape strides = list(node, "strides"), pads = list(node, "pads");
    const std::int64_t groups = integer(node, "group");
    const std::int64_t filters = is_transposed ? w.shape[1] * groups : w.shape[0];
    const std::int64_t of_group = filters / groups, channels = x.shape[1] / groups;
    OnnxShape shape = {x.shape[0], filters, 0, 0};
    for (const std::size_t axis : {0U, 1U}) {
      const std::int64_t extent = x.shape[axis + 2], tap = w.shape[axis + 2], pad = pads[axis] + pads[axis + 2];
      shape[axis + 2] = is_transposed ? (extent - 1) * strides[axis] + tap - pad + list(node, "output_padding")[axis]
                                      : (extent + pad - tap) / strides[axis] + 1;
    }
    return made(shape, [&](const OnnxShape& place) {
      double sum = node.inputs.size() > 2 ? in(node, 2).values.at(static_cast<std::size_t>(place[1])) : 0;
      const std::int64_t group = place[1] / of_group;
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t r = 0; r < w.shape[2]; ++r) {
          for (std::int64_t s = 0; s < w.shape[3]; ++s) {
            const std::int64_t taps[] = {r, s};
            OnnxShape from = {place[0], group * channels + c, 0, 0};
            bool is_inside = true;
            for (const std::size_t axis : {0U, 1U}) {
              const std::int64_t shifted = is_transposed ? place[axis + 2] + pads[axis] - taps[axis]
                                                         : place[axis + 2] * strides[axis] - pads[axis] + taps[axis];
              is_inside = is_inside && (!is_transposed || shifted % strides[axis] == 0);
              from[axis + 2] = is_transposed ? shifted / strides[axis] : shifted;
              is_inside = is_inside && shifted >= 0 && from[axis + 2] < x.shape[axis + 2];
            }
            if (is_inside) {
              const OnnxShape filter =
                  is_transposed ? OnnxShape{from[1], place[1] % of_group, r, s} : OnnxShape{place[1], c, r, s};
              sum += at(x, from) * at(w, filter);
            }
          }
        }
      }
      return sum;
    });
  }

  OnnxValues rearranged(const OnnxNode& node) const {
    const OnnxValues& x = in(node, 0);
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    if (node.op == "Transpose") {
      const OnnxShape order = list(node, "perm");
      OnnxShape shape;
      for (const std::int64_t axis : order) {
        shape.push_back(x.shape.at(static_cast<std::size_t>(axis)));
      }
      return made(shape, [&](const OnnxShape& place) {
        OnnxShape from(place.size());
        for (std::size_t axis = 0; axis < place.size(); ++axis) {
          from[static_cast<std::size_t>(order[axis])] = place[axis];
        }
        return at(x, from);
      });
    }
    if (node.op == "DepthToSpace" || node.op == "SpaceToDepth") {  // channels as (row, column, channel) of a block
      const bool enlarges = node.op == "DepthToSpace";
      const std::int64_t size = integer(node, "blocksize");
      check(!enlarges || attribute<std::string>(node, "mode") == "DCR", "{}: in the mode DCR alone", node.name);
      OnnxShape shape = x.shape;
      for (const std::size_t axis : {2U, 3U}) {
        shape[axis] = enlarges ? shape[axis] * size : shape[axis] / size;
        shape[1] = enlarges ? shape[1] / size : shape[1] * size;
      }
      return made(shape, [&](const OnnxShape& y) {
        if (enlarges) {
          return at(x, {y[0], (y[2] % size * size + y[3] % size) * shape[1] + y[1], y[2] / size, y[3] / size});
        }
        const std::int64_t block = y[1] / x.shape[1];
        return at(x, {y[0], y[1] % x.shape[1], y[2] * size + block / size, y[3] * size + block % size});
      });
    }
    if (node.op == "Reshape") {
      OnnxShape shape = integers(node, 1);
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        shape[axis] = shape[axis] == 0 ? x.shape.at(axis) : shape[axis];
      }
      const auto open = std::find(shape.begin(), shape.end(), -1);
      if (open != shape.end()) {
        *open = 1;
        *open = count_of(x.shape) / count_of(shape);
      }
      check(count_of(shape) == count_of(x.shape), "{}: another number of elements", node.name);
      return {shape, x.values};
    }
    if (node.op == "Unsqueeze") {
      OnnxShape shape = x.shape;
      for (const std::int64_t axis : integers(node, 1)) {
        shape.insert(shape.begin() + axis, 1);
      }
      return {shape, x.values};
    }
    if (node.op == "Expand") {
      return made(broadcast(x.shape, integers(node, 1)), [&](const OnnxShape& place) { return at(x, place); });
    }
    if (node.op == "Shape") {
      const auto first = x.shape.begin() + integer(node, "start"), behind = x.shape.begin() + integer(node, "end");
      return {{behind - first}, {first, behind}};
    }
    if (node.op == "Gather") {
      const OnnxValues& index = in(node, 1);
      check(integer(node, "axis") == 0 && index.shape.size() == 1, "{}: of rows by a list alone", node.name);
      OnnxShape shape = x.shape;
      shape[0] = index.shape[0];
      return made(shape, [&](OnnxShape place) {
        place[0] = static_cast<std::int64_t>(index.values.at(static_cast<std::size_t>(place[0])));
        return at(x, place);
      });
    }
    if (node.op == "Concat") {
      const auto axis = static_cast<std::size_t>((integer(node, "axis") + rank) % rank);
      OnnxShape shape = x.shape;
      for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        shape[axis] += in(node, i).shape[axis];
      }
      return made(shape, [&](OnnxShape place) {
        std::size_t i = 0;
        while (place[axis] >= in(node, i).shape[axis]) {
          place[axis] -= in(node, i++).shape[axis];
        }
        return at(in(node, i), place);
      });
    }
    if (node.op == "Slice") {
      const auto axis = static_cast<std::size_t>((integers(node, 3).at(0) + rank) % rank);
      OnnxShape shape = x.shape;
      shape[axis] = integers(node, 2).at(0) - integers(node, 1).at(0);
      return made(shape, [&](OnnxShape place) {
        place[axis] += integers(node, 1).at(0);
        return at(x, place);
      });
    }
    if (node.op == "Softmax") {
      check(integer(node, "axis") == -1, "{}: along the last extent alone", node.name);
      OnnxValues y = x;
      const std::int64_t columns = x.shape.back();
      for (auto row = y.values.begin(); row != y.values.end(); row += columns) {
        const double largest = *std::max_element(row, row + columns);
        std::transform(row, row + columns, row, [&](double value) { return std::exp(value - largest); });
        const double sum = std::accumulate(row, row + columns, 0.0);
        std::transform(row, row + columns, row, [&](double value) { return value / sum; });
      }
      return y;
    }
    if (node.op == "ReduceSum" || node.op == "ReduceLogSumExp") {
      return reduced(node);
    }
    throw_error(Error::Kind::internal, "{}: the operator {} is unknown", node.name, node.op);
  }

  OnnxValues reduced(const OnnxNode& node) const {
    const OnnxValues& x = in(node, 0);
    const bool is_log = node.op == "ReduceLogSumExp";
    const OnnxShape axes = is_log ? list(node, "axes") : integers(node, 1);
    check(integer(node, "keepdims") == 0, "{}: without the extents alone", node.name);
    OnnxShape shape;
    std::vector<std::size_t> kept;
    for (std::size_t axis = 0; axis < x.shape.size(); ++axis) {
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) == axes.end()) {
        shape.push_back(x.shape[axis]);
        kept.push_back(axis);
      }
    }
    OnnxValues y{shape, std::vector<double>(static_cast<std::size_t>(count_of(shape)), 0)};
    each_place(x.shape, [&](const OnnxShape& place) {
      std::int64_t offset = 0;
      for (const std::size_t axis : kept) {
        offset = offset * x.shape[axis] + place[axis];
      }
      y.values[static_cast<std::size_t>(offset)] += is_log ? std::exp(at(x, place)) : at(x, place);
    });
    if (is_log) {
      std::transform(y.values.begin(), y.values.end(), y.values.begin(), [](double sum) { return std::log(sum); });
    }
    return y;
  }

  const OnnxGraph& graph_;
  std::map<std::string, OnnxValues> known_;
};

}  // namespace duel::test

#include "host/export/onnx_graph.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace duel {

namespace {

using Extents = std::vector<std::int64_t>;
using Layout = OnnxForm::Layout;

const std::vector<int> kToChannelsFirst = {0, 3, 1, 2}, kToChannelsLast = {0, 2, 3, 1}, kTurn = {1, 0};

// The array with its extents in that order.
std::vector<float> permuted(const std::vector<float>& values, const Extents& shape, const std::vector<int>& order) {
  const std::size_t rank = shape.size();
  std::vector<std::int64_t> stride(rank, 1);
  for (std::size_t axis = rank - 1; axis > 0; --axis) {
    stride[axis - 1] = stride[axis] * shape[axis];
  }
  std::vector<float> result;
  result.reserve(values.size());
  std::vector<std::int64_t> at(rank, 0);  // the place in the result
  while (result.size() < values.size()) {
    std::int64_t from = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      from += at[axis] * stride[static_cast<std::size_t>(order[axis])];
    }
    result.push_back(values[static_cast<std::size_t>(from)]);
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++at[axis] < shape[static_cast<std::size_t>(order[axis])]) {
        break;
      }
      at[axis] = 0;
    }
  }
  return result;
}

Extents permuted(const Extents& shape, const std::vector<int>& order) {
  Extents result;
  for (const int axis : order) {
    result.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  return result;
}

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// A plural, where that is what a batch holds.
std::string batch_name(const Field& field) {
  return field.name == "picture" || field.name == "latent" ? field.name + "s" : field.name;
}

// Walks the program from its outputs back, so that a node is written behind what it reads, and only where it is read.
class GraphWriter {
public:
  GraphWriter(const std::string& name, const PortableProgram& portable)
      : portable_(portable), program_(portable.program()) {
    graph_.name = name;
  }

  OnnxGraph write(const Sampling& fields) {
    for (const Field& field : fields.inputs) {
      add_input(field);
    }
    for (std::size_t i = 0; i < fields.outputs.size(); ++i) {
      add_output(fields.outputs[i], portable_.outputs()[i]);
    }
    return std::move(graph_);
  }

private:
  // The arrays of the graph that a value is; "" where it has not been made so.
  struct Written {
    std::string channels_last;   // as the engine has it; what has not four extents is only this
    std::string channels_first;  // [N,C,H,W]
  };

  std::string unique(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !names_.insert(name).second; ++i) {
      name = fmt::format("{}_{}", wanted, i);
    }
    return name;
  }

  // Appends a node of one output; returns its name, which is the node's too.
  std::string add_node(const std::string& op, const std::string& wanted_name, std::vector<std::string> inputs,
                       Attributes attributes = {}) {
    const std::string name = unique(wanted_name);
    graph_.nodes.push_back({name, op, std::move(inputs), {name}, std::move(attributes)});
    return name;
  }

  // --- constants

  std::string add_constant(OnnxType type, const Extents& shape, std::vector<std::byte> bytes) {
    const auto [found, is_new] = constants_.try_emplace({type, shape, bytes});
    if (is_new) {
      found->second = unique(fmt::format("constant{}", constants_.size()));
      graph_.initializers.push_back({found->second, type, shape, std::move(bytes)});
    }
    return found->second;
  }

  std::string add_integers(const Extents& values) {
    return add_constant(OnnxType::i64, {static_cast<std::int64_t>(values.size())}, bytes_of(values));
  }

  std::string add_number(float value) { return add_constant(OnnxType::f32, {}, bytes_of(std::vector{value})); }

  // What a constant is called after: the parameter that has as many numbers, of all that it is computed from.
  std::string name_of_constant(Value root) const {
    std::vector<Value> from = {root};
    std::string of_state;
    for (std::size_t i = 0; i < from.size(); ++i) {  // which grows
      const ValueInfo& info = program_.info(from[i]);
      const bool is_alike = info.shape.count() == program_.shape(root).count();
      constexpr std::string_view kState = "state/";
      if (info.bound.exists() && info.producer < 0 && is_alike) {
        if (!info.bound.storage.starts_with(kState)) {
          return info.name;
        }
        of_state = info.name.substr(kState.size());
      } else if (info.producer >= 0) {
        for (const Value input : program_.nodes()[static_cast<std::size_t>(info.producer)].inputs) {
          if (input.exists()) {
            from.push_back(program_.root(input));
          }
        }
      }
    }
    return of_state.empty() ? program_.info(root).name + "/constant" : of_state;
  }

  std::string add_weight(Value value, const std::vector<int>& order) {
    const Value root = program_.root(value);
    const Extents shape = portable_.extents(value);
    const auto [found, is_new] = weights_.try_emplace({root.id, shape, order});
    if (is_new) {
      found->second = unique(name_of_constant(root));
      const std::vector<float>& numbers = portable_.numbers(root);
      graph_.initializers.push_back({found->second, OnnxType::f32, order.empty() ? shape : permuted(shape, order),
                                     bytes_of(order.empty() ? numbers : permuted(numbers, shape, order)), true});
    }
    return found->second;
  }

  // --- values

  Written& written(Value value) { return written_[value.id]; }
  bool is_picture(Value value) const { return program_.shape(value).rank() == 4; }

  // The name of a value in a layout, which means something for four extents alone.
  std::string name_in(Value value, Layout layout) {
    const bool is_first = layout == Layout::channels_first && is_picture(value);
    if (portable_.is_constant(value)) {
      return add_weight(value, is_first ? kToChannelsFirst : std::vector<int>());
    }
    ensure(value);
    Written& its = written(value);
    if (is_first && its.channels_first.empty()) {
      its.channels_first =
          add_node("Transpose", its.channels_last + "/nchw", {its.channels_last}, {{"perm", kToChannelsFirst}});
    } else if (!is_first && its.channels_last.empty()) {
      its.channels_last =
          add_node("Transpose", its.channels_first + "/nhwc", {its.channels_first}, {{"perm", kToChannelsLast}});
    }
    return is_first ? its.channels_first : its.channels_last;
  }

  // Writes what makes the value, in the layout that comes of itself.
  void ensure(Value value) {
    if (Written& its = written(value); !its.channels_last.empty() || !its.channels_first.empty()) {
      return;
    }
    const ValueInfo& info = program_.info(value);
    if (info.alias.exists()) {
      const std::string from = name_in(info.alias, Layout::channels_last);
      written(value).channels_last = add_node("Reshape", info.name.empty() ? from + "/reshape" : info.name + "/Reshape",
                                              {from, add_integers(extents_to_reshape(value))});
      return;
    }
    check(info.producer >= 0, "export: \"{}\" is neither an input nor made by a node", info.name);
    write_node(program_.nodes()[static_cast<std::size_t>(info.producer)], value);
  }

  // At most one extent is left to ONNX.
  Extents extents_to_reshape(Value value) const {
    Extents extents = portable_.extents(value);
    const auto is_open = [](std::int64_t extent) { return extent < 0; };
    check(std::count_if(extents.begin(), extents.end(), is_open) <= 1, "export: \"{}\" is [{}], by the batch twice",
          program_.info(value).name, fmt::join(extents, ","));
    std::replace_if(extents.begin(), extents.end(), is_open, -1);
    return extents;
  }

  // --- nodes

  void write_node(const Node& node, Value value) {
    const OnnxForm form = node.onnx ? node.onnx() : OnnxForm();
    if (form.steps.empty() || node.outputs[form.output] != value) {
      throw_error(
          Error::Kind::usage,
          "export: the operator {} has no form in ONNX, so the network that \"{}\" belongs to cannot be exported",
          node.op, program_.place(node));
    }
    const Layout layout = layout_of(form, node);
    std::vector<std::string> made;
    for (const OnnxStep& step : form.steps) {
      if (changes_nothing(step)) {
        made.push_back(name_of(step.operands[0], node, value, layout, made));
        continue;
      }
      if (takes_bias(step, node)) {
        made.push_back(name_in(node.inputs[0], layout));
        continue;
      }
      std::vector<std::string> inputs;
      for (const OnnxOperand& operand : step.operands) {
        inputs.push_back(name_of(operand, node, value, layout, made));
      }
      while (inputs.back().empty()) {
        inputs.pop_back();
      }
      made.push_back(add_node(step.op, program_.place(node) + "/" + step.op, std::move(inputs), step.attributes));
    }
    Written& its = written(value);
    (layout == Layout::channels_first && is_picture(value) ? its.channels_first : its.channels_last) = made.back();
  }

  static bool changes_nothing(const OnnxStep& step) {
    const auto is_by = [&](const char* op, float neutral) {
      return step.op == op && step.operands[1].kind == OnnxOperand::Kind::floats && step.operands[1].shape.empty() &&
             step.operands[1].floats[0] == neutral;
    };
    return is_by("Mul", 1) || is_by("Add", 0);
  }

  // Whether the step adds a bias to a convolution that nothing else reads: which it is given then.
  bool takes_bias(const OnnxStep& step, const Node& node) {
    using Kind = OnnxOperand::Kind;
    // The shift of a normalisation is added to what that made, not to what came in.
    if (step.op != "Add" || step.operands[0].kind != Kind::input || step.operands[1].kind != Kind::channels ||
        !portable_.is_constant(node.inputs[1]) || uses_of(node.inputs[0]) != 1) {
      return false;
    }
    const std::string& sum = written(node.inputs[0]).channels_first;
    const auto found = std::find_if(graph_.nodes.begin(), graph_.nodes.end(),
                                    [&](const OnnxNode& before) { return before.name == sum; });
    if (found == graph_.nodes.end() || !found->op.starts_with("Conv") || found->inputs.size() != 2) {
      return false;
    }
    found->inputs.push_back(name_in(node.inputs[1], Layout::channels_last));
    return true;
  }

  std::ptrdiff_t uses_of(Value value) const {
    std::ptrdiff_t uses = program_.is_kept(program_.root(value)) ? 1 : 0;
    for (const Node& node : program_.nodes()) {
      uses += std::count_if(node.inputs.begin(), node.inputs.end(), [&](Value input) {
        return input.exists() && program_.root(input) == program_.root(value);
      });
    }
    return uses;
  }

  // Pointwise: channels first where an operand is so already.
  Layout layout_of(const OnnxForm& form, const Node& node) {
    if (form.layout != Layout::any) {
      return form.layout;
    }
    const auto comes_first = [&](Value input) {
      if (!input.exists() || !is_picture(input) || portable_.is_constant(input)) {
        return false;
      }
      ensure(input);
      return !written(input).channels_first.empty();
    };
    return std::any_of(node.inputs.begin(), node.inputs.end(), comes_first) ? Layout::channels_first
                                                                            : Layout::channels_last;
  }

  std::string name_of(const OnnxOperand& operand, const Node& node, Value made, Layout layout,
                      const std::vector<std::string>& steps) {
    using Kind = OnnxOperand::Kind;
    const auto input = [&] { return node.inputs[operand.index]; };
    switch (operand.kind) {
      case Kind::input: return input().exists() ? name_in(input(), layout) : "";
      case Kind::channels: {
        const std::string columns = name_in(input(), layout);
        return layout == Layout::channels_first && is_picture(made)
                   ? add_node("Unsqueeze", columns + "/channels", {columns, add_integers({1, 2})})
                   : columns;
      }
      case Kind::filters: return name_in(input(), Layout::channels_first);
      case Kind::turned:
        return portable_.is_constant(input()) ? add_weight(input(), kTurn)
                                              : add_node("Transpose", program_.place(node) + "/turned",
                                                         {name_in(input(), layout)}, {{"perm", kTurn}});
      case Kind::step: return steps[operand.index];
      case Kind::extents: return name_of_extents(made, layout);
      case Kind::floats: return add_constant(OnnxType::f32, operand.shape, bytes_of(operand.floats));
      case Kind::integers: return add_constant(OnnxType::i64, operand.shape, bytes_of(operand.integers));
    }
    return "";
  }

  std::string name_of_extents(Value value, Layout layout) {
    Extents extents = portable_.extents(value);
    if (layout == Layout::channels_first && is_picture(value)) {
      extents = permuted(extents, kToChannelsFirst);
    }
    const auto is_open = [](std::int64_t extent) { return extent < 0; };
    if (std::none_of(extents.begin(), extents.end(), is_open)) {
      return add_integers(extents);
    }
    if (const auto known = open_extents_.find(extents); known != open_extents_.end()) {
      return known->second;
    }
    std::vector<std::string> parts;
    for (const std::int64_t extent : extents) {
      parts.push_back(is_open(extent) ? name_of_batch(-extent) : add_integers({extent}));
    }
    return open_extents_[extents] = add_node("Concat", "extents", std::move(parts), {{"axis", 0}});
  }

  // [1]: so many times the rows of the batch.
  std::string name_of_batch(std::int64_t times) {
    if (batch_.empty()) {
      batch_ = add_node("Shape", "batch", {graph_.inputs[0].name}, {{"start", 0}, {"end", 1}});
    }
    return times == 1 ? batch_ : add_node("Mul", "batch", {batch_, add_integers({times})});
  }

  // --- ends

  void add_input(const Field& field) {
    Extents shape(field.shape.begin(), field.shape.end());
    shape[0] = kBatchExtent;
    OnnxArray array{unique(batch_name(field)), OnnxType::f32, shape, "f32"};
    std::string name = array.name;
    switch (field.kind) {
      case FieldKind::picture:
      case FieldKind::mask:
        array.type = OnnxType::u8;
        array.note = "0..255";
        graph_.inputs.push_back(array);
        name = add_node("Cast", name + "/f32", {name}, {{"to", static_cast<int>(OnnxType::f32)}});
        name = add_node("Div", name + "/divided", {name, add_number(field.scale.divisor)});
        name = add_node("Add", name + "/shifted", {name, add_number(field.scale.shift)});
        break;
      case FieldKind::label:
        array.type = OnnxType::i64;
        array.note = "the number of the class, from 0";
        graph_.inputs.push_back(array);
        break;
      case FieldKind::attributes:
        array.note = "the share of each class, which are 1 together";
        graph_.inputs.push_back(array);
        break;
      case FieldKind::vector:
        array.note = "of the normal distribution N(0, 1)";
        graph_.inputs.push_back(array);
        break;
    }
    written(portable_.input(field.name)).channels_last = name;
  }

  void add_output(const Field& field, Value value) {
    const Extents extents = portable_.extents(value);
    if (field.kind != FieldKind::picture) {
      finish(batch_name(field), OnnxType::f32, extents, name_in(value, Layout::channels_last), "f32");
      return;
    }
    const std::string name = batch_name(field);
    const auto& [divisor, shift] = field.scale;
    std::string x = name_in(value, Layout::channels_last);
    x = add_node("Add", name + "/unshifted", {x, add_number(-shift)});
    x = add_node("Mul", name + "/grey", {x, add_number(divisor)});
    x = add_node("Add", name + "/rounding", {x, add_number(0.5F)});
    x = add_node("Clip", name + "/clipped", {x, add_number(0), add_number(255)});
    x = add_node("Cast", name + "/u8", {x}, {{"to", static_cast<int>(OnnxType::u8)}});
    finish(name, OnnxType::u8, extents, x, "0..255");
    finish(name + "_nchw", OnnxType::f32, permuted(extents, kToChannelsFirst), name_in(value, Layout::channels_first),
           fmt::format("{}..{}, as the network makes them: a little beyond, too", shift, 255 / divisor + shift));
  }

  // An output of that name, which the graph's own names do not follow.
  void finish(const std::string& name, OnnxType type, const Extents& shape, const std::string& from,
              const std::string& note) {
    graph_.outputs.push_back({add_node("Identity", name, {from}), type, shape, note});
  }

  const PortableProgram& portable_;
  const Program& program_;
  OnnxGraph graph_;
  std::set<std::string> names_;
  std::map<int, Written> written_;  // by the value's number
  std::map<std::tuple<OnnxType, Extents, std::vector<std::byte>>, std::string> constants_;
  std::map<std::tuple<int, Extents, std::vector<int>>, std::string> weights_;  // root, shape, order of the extents
  std::map<Extents, std::string> open_extents_;
  std::string batch_;
};

}  // namespace

OnnxGraph make_onnx_graph(const std::string& name, const PortableProgram& portable, const Sampling& fields) {
  return GraphWriter(name, portable).write(fields);
}

}  // namespace duel

#include "host/export/onnx_file.h"

#include "kernels/check.h"
#include "onnx_model.pb.h"

#include <limits>
#include <variant>

namespace duel {

namespace {

constexpr int kIrVersion = 8, kOperatorSet = 17;
constexpr std::size_t kMostBytes = std::numeric_limits<std::int32_t>::max();  // of a protobuf message

struct Writer {
  onnx::AttributeProto& to;

  void operator()(bool flag) const { (*this)(std::int64_t{flag}); }
  void operator()(std::int64_t number) const {
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(number);
  }
  void operator()(std::uint64_t number) const { (*this)(static_cast<std::int64_t>(number)); }
  void operator()(double number) const {
    to.set_type(onnx::AttributeProto::FLOAT);
    to.set_f(static_cast<float>(number));
  }
  void operator()(const std::string& text) const {
    to.set_type(onnx::AttributeProto::STRING);
    to.set_s(text);
  }
  void operator()(const std::vector<std::int64_t>& numbers) const {
    to.set_type(onnx::AttributeProto::INTS);
    to.mutable_ints()->Add(numbers.begin(), numbers.end());
  }
};

void write(const OnnxNode& node, onnx::NodeProto& to) {
  to.set_name(node.name);
  to.set_op_type(node.op);
  for (const std::string& input : node.inputs) {
    to.add_input(input);
  }
  for (const std::string& output : node.outputs) {
    to.add_output(output);
  }
  for (const Attribute& attribute : node.attributes) {
    onnx::AttributeProto& written = *to.add_attribute();
    written.set_name(attribute.name);
    std::visit(Writer{written}, attribute.value);
  }
}

void write(const OnnxTensor& tensor, onnx::TensorProto& to) {
  to.set_name(tensor.name);
  to.set_data_type(static_cast<int>(tensor.type));
  to.mutable_dims()->Add(tensor.shape.begin(), tensor.shape.end());
  to.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
}

void write(const OnnxArray& array, onnx::ValueInfoProto& to) {
  to.set_name(array.name);
  to.set_doc_string(array.note);
  onnx::TypeProto::Tensor& type = *to.mutable_type()->mutable_tensor_type();
  type.set_elem_type(static_cast<int>(array.type));
  for (const std::int64_t extent : array.shape) {
    onnx::TensorShapeProto::Dimension& dimension = *type.mutable_shape()->add_dim();
    if (extent == kBatchExtent) {
      dimension.set_dim_param("batch");
    } else if (extent >= 0) {
      dimension.set_dim_value(extent);
    }
  }
}

}  // namespace

std::string to_onnx(const OnnxGraph& graph, const std::map<std::string, std::string>& metadata,
                    const std::string& version) {
  std::size_t bytes = 0;
  for (const OnnxTensor& tensor : graph.initializers) {
    bytes += tensor.bytes.size();
  }
  constexpr std::size_t kRest = 1 << 24;  // names, nodes and shapes
  if (bytes + kRest > kMostBytes) {
    throw_error(Error::Kind::usage,
                "export: the weights are {} bytes, but an ONNX file holds less than {}; a name that ends in "
                ".safetensors has room for them",
                bytes, kMostBytes);
  }
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("duel");
  model.set_producer_version(version);
  model.add_opset_import()->set_version(kOperatorSet);
  for (const auto& [key, value] : metadata) {
    onnx::StringStringEntryProto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  onnx::GraphProto& to = *model.mutable_graph();
  to.set_name(graph.name);
  for (const OnnxNode& node : graph.nodes) {
    write(node, *to.add_node());
  }
  for (const OnnxTensor& tensor : graph.initializers) {
    write(tensor, *to.add_initializer());
  }
  for (const OnnxArray& input : graph.inputs) {
    write(input, *to.add_input());
  }
  for (const OnnxArray& output : graph.outputs) {
    write(output, *to.add_output());
  }
  return model.SerializeAsString();
}

}  // namespace duel

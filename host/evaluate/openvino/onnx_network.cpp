#include "host/evaluate/onnx_network.h"

#include "host/evaluate/openvino/openvino.h"
#include "kernels/check.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace duel {

namespace {

const OpenVino& library() {
  static const OpenVino loaded;
  return loaded;
}

// What a call of the library made, freed by another.
template <class T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

const char* name_of(ov_element_type_e type) {
  switch (type) {
    case F32: return "f32";
    case F64: return "f64";
    case F16: return "f16";
    case BF16: return "bf16";
    case U8: return "u8";
    case I32: return "i32";
    case I64: return "i64";
    default: return "a rarer type";
  }
}

class OpenVinoNetwork : public OnnxNetwork {
public:
  OpenVinoNetwork(const std::string& name, std::span<const std::byte> bytes) : name_(name) {
    const std::string unread = fmt::format("{}: is no ONNX file that OpenVINO reads", name);
    ov_core_t* core = nullptr;
    expect(ov_.core_create(&core), Error::Kind::internal, "OpenVINO does not start");
    core_ = {core, ov_.core_free};
    ov_model_t* model = nullptr;
    expect(ov_.core_read_model_from_memory_buffer(core, reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                                                  nullptr, &model),
           Error::Kind::data, unread);
    model_ = {model, ov_.model_free};
    std::size_t inputs = 0, outputs = 0;
    expect(ov_.model_inputs_size(model, &inputs), Error::Kind::data, unread);
    expect(ov_.model_outputs_size(model, &outputs), Error::Kind::data, unread);
    for (std::size_t i = 0; i < inputs; ++i) {
      inputs_.push_back(port(ov_.model_const_input_by_index, i));
    }
    for (std::size_t i = 0; i < outputs; ++i) {
      outputs_.push_back(port(ov_.model_const_output_by_index, i));
    }
  }

  const std::vector<OnnxPort>& inputs() const override { return inputs_; }
  const std::vector<OnnxPort>& outputs() const override { return outputs_; }

  std::vector<std::int64_t> prepare(const std::vector<std::int64_t>& extents, int threads) override {
    const std::string refused = fmt::format("{}: does not take such an input", name_);
    ov_partial_shape_t shape{};
    expect(ov_.partial_shape_create_static(static_cast<std::int64_t>(extents.size()), extents.data(), &shape),
           Error::Kind::internal, refused);
    const ov_status_e reshaped = ov_.model_reshape_single_input(model_.get(), shape);
    const std::string why = reshaped == OK ? "" : ov_.last_error();
    ov_.partial_shape_free(&shape);
    if (reshaped != OK) {
      throw_error(Error::Kind::usage, "{}: {}", refused, why);
    }
    ov_compiled_model_t* compiled = nullptr;
    // In f32 whatever the processor is quicker at, and each input on one thread, so that features are the same
    // everywhere; two threads that share inputs were half as quick, too. They stay off fixed processors, for others may
    // want those.
    const std::string streams = fmt::format("{}", threads);
    expect(ov_.core_compile_model(core_.get(), model_.get(), "CPU", 8, &compiled, "INFERENCE_PRECISION_HINT", "f32",
                                  "NUM_STREAMS", streams.c_str(), "INFERENCE_NUM_THREADS", streams.c_str(),
                                  "ENABLE_CPU_PINNING", "NO"),
           Error::Kind::usage, fmt::format("{}: OpenVINO cannot run it", name_));
    compiled_ = {compiled, ov_.compiled_model_free};
    std::vector<std::int64_t> made;
    for (int thread = 0; thread < threads; ++thread) {
      Runner& runner = runners_.emplace_back();
      ov_infer_request_t* request = nullptr;
      expect(ov_.compiled_model_create_infer_request(compiled, &request), Error::Kind::internal, refused);
      runner.request = {request, ov_.infer_request_free};
      ov_tensor_t *input = nullptr, *output = nullptr;
      expect(ov_.infer_request_get_input_tensor(request, &input), Error::Kind::internal, refused);
      runner.input = {input, ov_.tensor_free};
      expect(ov_.infer_request_get_output_tensor(request, &output), Error::Kind::internal, refused);
      runner.output = {output, ov_.tensor_free};
      made = extents_of(output);
      runner.input_values = {data_of(input), count_of(extents)};
      runner.output_values = {data_of(output), count_of(made)};
    }
    return made;
  }

  std::span<float> input(int thread) override { return runners_[static_cast<std::size_t>(thread)].input_values; }

  std::span<const float> run(int thread) override {
    const Runner& runner = runners_[static_cast<std::size_t>(thread)];
    expect(ov_.infer_request_infer(runner.request.get()), Error::Kind::internal, name_ + ": cannot be run");
    return runner.output_values;
  }

private:
  struct Runner {
    Owned<ov_infer_request_t> request;
    Owned<ov_tensor_t> input, output;
    std::span<float> input_values, output_values;
  };

  void expect(ov_status_e status, Error::Kind kind, const std::string& what) const {
    if (status != OK) {
      throw_error(kind, "{}: {}", what, ov_.last_error());
    }
  }

  static std::size_t count_of(const std::vector<std::int64_t>& extents) {
    return static_cast<std::size_t>(
        std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>()));
  }

  std::vector<std::int64_t> extents_of(const ov_tensor_t* tensor) const {
    ov_shape_t shape{};
    expect(ov_.tensor_get_shape(tensor, &shape), Error::Kind::internal, name_);
    const std::vector<std::int64_t> extents(shape.dims, shape.dims + shape.rank);
    ov_.shape_free(&shape);
    return extents;
  }

  float* data_of(const ov_tensor_t* tensor) const {
    void* data = nullptr;
    expect(ov_.tensor_data(tensor, &data), Error::Kind::internal, name_);
    return static_cast<float*>(data);
  }

  OnnxPort port(decltype(&ov_model_const_input_by_index) get, std::size_t i) const {
    ov_output_const_port_t* found = nullptr;
    expect(get(model_.get(), i, &found), Error::Kind::data, name_);
    const Owned<ov_output_const_port_t> owned(found, ov_.output_const_port_free);
    OnnxPort result;
    if (char* name = nullptr; ov_.port_get_any_name(found, &name) == OK) {  // an output need not have one
      result.name = name;
      ov_.free(name);
    }
    ov_element_type_e type = DYNAMIC;
    expect(ov_.port_get_element_type(found, &type), Error::Kind::data, name_);
    result.is_f32 = type == F32;
    result.type = name_of(type);
    ov_partial_shape_t shape{};
    expect(ov_.port_get_partial_shape(found, &shape), Error::Kind::data, name_);
    result.has_rank = shape.rank.min == shape.rank.max;
    for (std::int64_t axis = 0; result.has_rank && axis < shape.rank.min; ++axis) {
      const ov_dimension_t& extent = shape.dims[axis];
      result.extents.push_back(extent.min == extent.max ? extent.min : -1);
    }
    ov_.partial_shape_free(&shape);
    return result;
  }

  const OpenVino& ov_ = library();
  std::string name_;
  // Freed from the last to the first.
  Owned<ov_core_t> core_;
  Owned<ov_model_t> model_;
  Owned<ov_compiled_model_t> compiled_;
  std::vector<Runner> runners_;
  std::vector<OnnxPort> inputs_, outputs_;
};

}  // namespace

std::unique_ptr<OnnxNetwork> read_onnx_network(const std::string& name, std::span<const std::byte> bytes) {
  if (!library().is_usable()) {
    throw_error(Error::Kind::usage, "{}: {}", name, library().why_not());
  }
  return std::make_unique<OpenVinoNetwork>(name, bytes);
}

OnnxLibrary onnx_library() {
  const OpenVino& its = library();
  return {its.is_usable(), its.is_usable() ? fmt::format("OpenVINO {}, {}", its.version(), its.file()) : its.why_not()};
}

}  // namespace duel

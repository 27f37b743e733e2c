#include "kernels/cuda/cudnn_graph.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace duel {

namespace {

constexpr std::size_t kMostPlans = 8;
constexpr std::int64_t kMostWorkspaceBytes = std::int64_t{64} << 20;

bool is_unsupported(cudnnStatus_t status) {
  return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
}

class CudnnPlan : public VendorPlan {
public:
  CudnnPlan(std::shared_ptr<CudnnGraph> graph, CudnnDescriptor configuration, CudnnDescriptor plan, std::string name,
            std::vector<std::int64_t> inputs, std::int64_t output)
      : graph_(std::move(graph)),
        configuration_(std::move(configuration)),
        plan_(std::move(plan)),
        name_(std::move(name)),
        inputs_(std::move(inputs)),
        output_(output) {
    plan_.read(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &workspace_bytes_);
  }

  std::string name() const override { return name_; }
  std::size_t workspace_bytes() const override { return static_cast<std::size_t>(workspace_bytes_); }

  void run(cudaStream_t stream, std::span<const View> inputs, View output, void* workspace) const override {
    const Cudnn& library = graph_->library();
    std::vector<std::int64_t> ids{output_};
    std::vector<void*> data{output.data};
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] >= 0) {
        ids.push_back(inputs_[i]);
        data.push_back(inputs[i].data);
      }
    }
    CudnnDescriptor arrays(library, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, graph_->what());
    const auto count = static_cast<std::int64_t>(ids.size());
    arrays.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, ids.data());
    arrays.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, data.data());
    arrays.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace);
    arrays.finalize();
    library.check_status(library.SetStream(library.handle(), stream), graph_->what());
    library.check_status(library.BackendExecute(library.handle(), plan_.get(), arrays.get()), graph_->what());
  }

private:
  std::shared_ptr<CudnnGraph> graph_;  // and with it all that the plan was made of
  CudnnDescriptor configuration_, plan_;
  std::string name_;
  std::vector<std::int64_t> inputs_;
  std::int64_t output_;
  std::int64_t workspace_bytes_ = 0;
};

// "cuDNN eng34 k2=3 k6=0", of the engine and of the values of its knobs.
std::string name_of(const Cudnn& library, const std::string& what, const CudnnDescriptor& configuration,
                    const CudnnDescriptor& engine) {
  std::int64_t index = -1;
  engine.read(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &index);
  std::string name = fmt::format("cuDNN eng{}", index);
  std::vector<CudnnDescriptor> knobs;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (int i = 0; i < CUDNN_KNOB_TYPE_COUNTS; ++i) {
    knobs.emplace_back(library, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, what);
    handles.push_back(knobs.back().get());
  }
  const std::int64_t count = configuration.read(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                                CUDNN_KNOB_TYPE_COUNTS, handles.data());
  for (std::int64_t i = 0; i < count; ++i) {
    cudnnBackendKnobType_t type{};
    std::int64_t value = 0;
    const CudnnDescriptor& knob = knobs[static_cast<std::size_t>(i)];
    knob.read(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
    knob.read(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &value);
    name += fmt::format(" k{}={}", static_cast<int>(type), value);
  }
  return name;
}

bool may_run(const CudnnDescriptor& engine, bool has_f32_inputs, bool allow_tf32) {
  std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
  const std::int64_t count = engine.read(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                         static_cast<std::int64_t>(notes.size()), notes.data());
  return std::none_of(notes.begin(), notes.begin() + count, [&](cudnnBackendNumericalNote_t note) {
    return note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
           note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
           (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && has_f32_inputs && !allow_tf32);
  });
}

}  // namespace

CudnnDescriptor::CudnnDescriptor(const Cudnn& library, cudnnBackendDescriptorType_t type, const std::string& what)
    : library_(library), what_(what) {
  library_.check_status(library_.BackendCreateDescriptor(type, &descriptor_), what_);
}

CudnnDescriptor::~CudnnDescriptor() {
  if (descriptor_ != nullptr) {
    library_.BackendDestroyDescriptor(descriptor_);
  }
}

CudnnDescriptor::CudnnDescriptor(CudnnDescriptor&& other) noexcept
    : library_(other.library_), what_(other.what_), descriptor_(std::exchange(other.descriptor_, nullptr)) {}

void CudnnDescriptor::set(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, std::int64_t count,
                          const void* values) {
  library_.check_status(library_.BackendSetAttribute(descriptor_, attribute, type, count, values), what_);
}

std::int64_t CudnnDescriptor::read(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type,
                                   std::int64_t most, void* values) const {
  std::int64_t count = 0;
  library_.check_status(library_.BackendGetAttribute(descriptor_, attribute, type, most, &count, values), what_);
  return most == 0 ? count : std::min(count, most);
}

void CudnnDescriptor::finalize() {
  library_.check_status(try_finalize(), what_);
}

cudnnStatus_t CudnnDescriptor::try_finalize() {
  return library_.BackendFinalize(descriptor_);
}

CudnnDescriptor& CudnnGraph::add(cudnnBackendDescriptorType_t type) {
  descriptors_.push_back(std::make_unique<CudnnDescriptor>(library_, type, what_));
  return *descriptors_.back();
}

cudnnBackendDescriptor_t CudnnGraph::tensor(const CudnnTensor& tensor) {
  const auto& [n, c, h, w] = tensor.extents;
  const std::array<std::int64_t, 4> strides{h * w * c, 1, w * c, c};
  CudnnDescriptor& descriptor = add(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, tensor.id);
  descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, tensor.type);
  descriptor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, tensor.extents.data());
  descriptor.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides.data());
  descriptor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, static_cast<std::int64_t>(kVendorAlignment));
  if (tensor.is_virtual) {
    descriptor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
  }
  descriptor.finalize();
  return descriptor.get();
}

void CudnnGraph::operation(
    cudnnBackendDescriptorType_t type,
    std::initializer_list<std::pair<cudnnBackendAttributeName_t, cudnnBackendDescriptor_t>> parts,
    std::initializer_list<std::pair<cudnnBackendAttributeName_t, float>> factors) {
  CudnnDescriptor& descriptor = add(type);
  for (const auto& [attribute, part] : parts) {
    descriptor.set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR, part);
  }
  for (const auto& [attribute, factor] : factors) {
    descriptor.set(attribute, CUDNN_TYPE_FLOAT, factor);
  }
  descriptor.finalize();
  operations_.push_back(descriptor.get());
}

std::vector<CudnnDescriptor> CudnnGraph::configurations(const CudnnDescriptor& graph,
                                                        cudnnBackendHeurMode_t mode) const {
  std::vector<CudnnDescriptor> found;
  CudnnDescriptor heuristics(library_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, what_);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph.get());
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
#if CUDNN_VERSION >= 90800
  if (library_.described_device() != nullptr) {
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, library_.described_device());
  }
#endif
  const cudnnStatus_t status = heuristics.try_finalize();
  if (is_unsupported(status)) {
    return found;
  }
  library_.check_status(status, what_);
  const std::int64_t count = heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::int64_t i = 0; i < count; ++i) {
    found.emplace_back(library_, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, what_);
    handles.push_back(found.back().get());
  }
  if (count > 0) {
    const std::int64_t given =
        heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, handles.data());
    while (static_cast<std::int64_t>(found.size()) > given) {
      found.pop_back();
    }
  }
  return found;
}

VendorPlans CudnnGraph::plans(std::vector<std::int64_t> inputs, std::int64_t output, bool has_f32_inputs,
                              bool allow_tf32) {
  CudnnDescriptor& graph = add(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(operations_.size()),
            operations_.data());
  if (library_.handle() != nullptr) {
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, library_.handle());
  }
  const cudnnStatus_t status = graph.try_finalize();
  if (is_unsupported(status)) {
    return {};
  }
  library_.check_status(status, what_);

  VendorPlans plans;
  std::set<std::string> names;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    if (mode == CUDNN_HEUR_MODE_FALLBACK && !plans.empty()) {
      break;
    }
    for (CudnnDescriptor& configuration : configurations(graph, mode)) {
      CudnnDescriptor engine(library_, CUDNN_BACKEND_ENGINE_DESCRIPTOR, what_);
      cudnnBackendDescriptor_t handle = engine.get();
      configuration.read(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
      std::string name = name_of(library_, what_, configuration, engine);
      if (plans.size() == kMostPlans || !may_run(engine, has_f32_inputs, allow_tf32) || !names.insert(name).second) {
        continue;
      }
      CudnnDescriptor plan(library_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, what_);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, configuration.get());
      if (library_.handle() != nullptr) {
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, library_.handle());
      }
#if CUDNN_VERSION >= 90800
      if (library_.described_device() != nullptr) {
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, library_.described_device());
      }
#endif
      if (plan.try_finalize() != CUDNN_STATUS_SUCCESS) {
        continue;  // heuristics propose engines that turn out not to take these arrays
      }
      auto found = std::make_unique<CudnnPlan>(shared_from_this(), std::move(configuration), std::move(plan),
                                               std::move(name), inputs, output);
      if (found->workspace_bytes() <= kMostWorkspaceBytes) {
        plans.push_back(std::move(found));
      }
    }
  }
  return plans;
}

}  // namespace duel

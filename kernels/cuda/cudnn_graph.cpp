#include "kernels/cuda/cudnn_graph.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <set>

namespace duel {

namespace {

constexpr std::size_t kMostWorkspaceBytes = std::size_t{64} << 20;

bool is_unsupported(cudnnStatus_t status) {
  return CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED;
}

class CudnnPlan : public VendorPlan {
public:
  // `parts`: what `plan` is made of.
  CudnnPlan(std::shared_ptr<CudnnGraph> graph, std::vector<CudnnDescriptor> parts, CudnnDescriptor plan,
            std::string recipe, std::vector<std::int64_t> inputs, std::int64_t output)
      : graph_(std::move(graph)),
        parts_(std::move(parts)),
        plan_(std::move(plan)),
        recipe_(std::move(recipe)),
        inputs_(std::move(inputs)),
        output_(output) {
    plan_.read(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &workspace_bytes_);
  }

  std::string name() const override { return "cuDNN " + recipe_; }
  std::string recipe() const override { return recipe_; }
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
  std::vector<CudnnDescriptor> parts_;
  CudnnDescriptor plan_;
  std::string recipe_;
  std::vector<std::int64_t> inputs_;
  std::int64_t output_;
  std::int64_t workspace_bytes_ = 0;
};

struct Knob {
  std::int64_t type, value;
};

// What a plan is built of again: "eng34 k2=3 k6=0", an engine and the values of its knobs.
struct Recipe {
  std::int64_t engine = -1;
  std::vector<Knob> knobs;
};

std::string text_of(const Recipe& recipe) {
  std::string text = fmt::format("eng{}", recipe.engine);
  for (const Knob& knob : recipe.knobs) {
    text += fmt::format(" k{}={}", knob.type, knob.value);
  }
  return text;
}

std::optional<Recipe> recipe_of(std::string_view text) {
  const auto take = [&](std::string_view word) {
    const bool is_there = text.starts_with(word);
    text.remove_prefix(is_there ? word.size() : 0);
    return is_there;
  };
  const auto take_number = [&](std::int64_t& number) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
    return result.ec == std::errc();
  };
  Recipe recipe;
  if (!take("eng") || !take_number(recipe.engine)) {
    return std::nullopt;
  }
  while (!text.empty()) {
    Knob knob{};
    if (!take(" k") || !take_number(knob.type) || !take("=") || !take_number(knob.value)) {
      return std::nullopt;
    }
    recipe.knobs.push_back(knob);
  }
  return recipe;
}

Recipe recipe_of(const Cudnn& library, const std::string& what, const CudnnDescriptor& configuration,
                 const CudnnDescriptor& engine) {
  Recipe recipe;
  engine.read(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &recipe.engine);
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
    Knob knob{};
    const CudnnDescriptor& descriptor = knobs[static_cast<std::size_t>(i)];
    descriptor.read(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
    descriptor.read(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &knob.value);
    knob.type = static_cast<std::int64_t>(type);
    recipe.knobs.push_back(knob);
  }
  return recipe;
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

class CudnnPlans : public VendorPlans {
public:
  CudnnPlans(std::shared_ptr<CudnnGraph> graph, std::vector<std::int64_t> inputs, std::int64_t output,
             bool has_f32_inputs, bool allow_tf32)
      : graph_(std::move(graph)),
        inputs_(std::move(inputs)),
        output_(output),
        has_f32_inputs_(has_f32_inputs),
        allow_tf32_(allow_tf32) {}

  std::unique_ptr<VendorPlan> next() override {
    while (refill()) {
      CudnnDescriptor configuration = std::move(configurations_.front());
      configurations_.pop_front();
      CudnnDescriptor engine = make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      cudnnBackendDescriptor_t handle = engine.get();
      configuration.read(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
      const std::string recipe = text_of(recipe_of(library(), graph_->what(), configuration, engine));
      if (!may_run(engine, has_f32_inputs_, allow_tf32_) || !recipes_.insert(recipe).second) {
        continue;
      }
      std::vector<CudnnDescriptor> parts;
      parts.push_back(std::move(configuration));
      if (std::unique_ptr<VendorPlan> plan = build(std::move(parts), recipe)) {
        has_any_ = true;
        return plan;
      }
    }
    return nullptr;
  }

  std::unique_ptr<VendorPlan> rebuild(const std::string& text) override {
    const std::optional<Recipe> recipe = recipe_of(text);
    if (!recipe || graph_->operation_graph() == nullptr) {
      return nullptr;
    }
    std::vector<CudnnDescriptor> parts;  // the configuration last
    CudnnDescriptor engine = make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    engine.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph_->operation_graph());
    engine.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, recipe->engine);
#if CUDNN_VERSION >= 90800
    if (library().described_device() != nullptr) {
      engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, library().described_device());
    }
#endif
    if (engine.try_finalize() != CUDNN_STATUS_SUCCESS || !may_run(engine, has_f32_inputs_, allow_tf32_)) {
      return nullptr;
    }
    std::vector<cudnnBackendDescriptor_t> knobs;
    for (const Knob& knob : recipe->knobs) {
      CudnnDescriptor choice = make(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
      choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE,
                 static_cast<cudnnBackendKnobType_t>(knob.type));
      choice.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, knob.value);
      if (choice.try_finalize() != CUDNN_STATUS_SUCCESS) {
        return nullptr;
      }
      knobs.push_back(choice.get());
      parts.push_back(std::move(choice));
    }
    CudnnDescriptor configuration = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, engine.get());
    if (!knobs.empty()) {
      configuration.set(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                        static_cast<std::int64_t>(knobs.size()), knobs.data());
    }
    if (configuration.try_finalize() != CUDNN_STATUS_SUCCESS) {
      return nullptr;
    }
    parts.push_back(std::move(engine));
    parts.push_back(std::move(configuration));
    return build(std::move(parts), text);
  }

private:
  const Cudnn& library() const {
    return graph_->library();
  }
  CudnnDescriptor make(cudnnBackendDescriptorType_t type) const {
    return {library(), type, graph_->what()};
  }

  // Whether there are configurations to try: those of the next kind of heuristics, where there is none left.
  bool refill() {
    while (configurations_.empty() && graph_->operation_graph() != nullptr && mode_ < kModes.size()) {
      const cudnnBackendHeurMode_t mode = kModes[mode_++];
      if (mode != CUDNN_HEUR_MODE_FALLBACK || !has_any_) {
        ask(mode);
      }
    }
    return !configurations_.empty();
  }

  void ask(cudnnBackendHeurMode_t mode) {
    CudnnDescriptor heuristics = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, graph_->operation_graph());
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
#if CUDNN_VERSION >= 90800
    if (library().described_device() != nullptr) {
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, library().described_device());
    }
#endif
    const cudnnStatus_t status = heuristics.try_finalize();
    if (is_unsupported(status)) {
      return;
    }
    library().check_status(status, graph_->what());
    const std::int64_t count =
        heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::int64_t i = 0; i < count; ++i) {
      configurations_.push_back(make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
      handles.push_back(configurations_.back().get());
    }
    if (count > 0) {
      const std::int64_t given =
          heuristics.read(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, handles.data());
      while (static_cast<std::int64_t>(configurations_.size()) > given) {
        configurations_.pop_back();
      }
    }
  }

  // Of the configuration that is the last of `parts`; null where its engine does not take these arrays after all.
  std::unique_ptr<VendorPlan> build(std::vector<CudnnDescriptor> parts, const std::string& recipe) const {
    CudnnDescriptor plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, parts.back().get());
    if (library().handle() != nullptr) {
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, library().handle());
    }
#if CUDNN_VERSION >= 90800
    if (library().described_device() != nullptr) {
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, CUDNN_TYPE_BACKEND_DESCRIPTOR, library().described_device());
    }
#endif
    if (plan.try_finalize() != CUDNN_STATUS_SUCCESS) {
      return nullptr;
    }
    auto built = std::make_unique<CudnnPlan>(graph_, std::move(parts), std::move(plan), recipe, inputs_, output_);
    return built->workspace_bytes() <= kMostWorkspaceBytes ? std::move(built) : nullptr;
  }

  static constexpr std::array kModes{CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK};

  std::shared_ptr<CudnnGraph> graph_;
  std::vector<std::int64_t> inputs_;
  std::int64_t output_;
  bool has_f32_inputs_, allow_tf32_;
  std::deque<CudnnDescriptor> configurations_;  // not tried yet
  std::size_t mode_ = 0;                        // to ask next
  std::set<std::string> recipes_;
  bool has_any_ = false;
};

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

std::unique_ptr<VendorPlans> CudnnGraph::plans(std::vector<std::int64_t> inputs, std::int64_t output,
                                               bool has_f32_inputs, bool allow_tf32) {
  CudnnDescriptor& graph = add(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(operations_.size()),
            operations_.data());
  if (library_.handle() != nullptr) {
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, library_.handle());
  }
  const cudnnStatus_t status = graph.try_finalize();
  if (!is_unsupported(status)) {
    library_.check_status(status, what_);
    operation_graph_ = graph.get();
  }
  return std::make_unique<CudnnPlans>(shared_from_this(), std::move(inputs), output, has_f32_inputs, allow_tf32);
}

}  // namespace duel

// A library libcudnn.so of the tests' own: it does what the graphs that it is given say, with plain loops in double,
// and refuses descriptors that are not whole. element.h says how it is made worse.
//
// Engines are numbered from 40. Some may never be chosen, as they give other bytes each time or round their inputs:
// those compute nothing, so that a test fails where they are. Arrays lie as N, H, W, C.
#include "tests/emulator/runtime.h"
#include "tests/emulator/vendor/element.h"
#include "tests/emulator/vendor/log.h"

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct cudnnContext {
  cudaStream_t stream = nullptr;
};

namespace {

using duel::test::add_multiple;
using duel::test::is_aligned;
using duel::test::is_first_run_in_capture;
using duel::test::load;
using duel::test::mood_is;
using duel::test::store;
using duel::test::vendor_log;

struct Engine {
  std::int64_t index;
  std::optional<cudnnBackendNumericalNote_t> note;
  std::int64_t workspace_bytes;
};
const std::array kEngines{Engine{40, std::nullopt, 0},
                          Engine{41, std::nullopt, 4096},
                          Engine{42, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, 0},
                          Engine{43, CUDNN_NUMERICAL_NOTE_TENSOR_CORE, 0},
                          Engine{44, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, 0},
                          Engine{45, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, 0},
                          Engine{46, std::nullopt, 0}};
constexpr cudnnBackendKnobType_t kKnob = CUDNN_KNOB_TYPE_TILE_SIZE;  // of every engine
constexpr std::int64_t kKnobValue = 7;
bool computes(const Engine& engine) {
  return !engine.note || *engine.note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
}

struct Descriptor {
  cudnnBackendDescriptorType_t type;
  bool is_finalized = false;
  std::map<int, std::vector<char>> attributes;
  const Engine* engine = nullptr;     // of configurations, engines and knobs
  const Descriptor* graph = nullptr;  // of configurations and engines
  std::set<cudaStream_t> has_run_on;  // of plans

  bool has(int attribute) const { return attributes.contains(attribute); }
  template <class Value>
  std::vector<Value> list(int attribute) const {
    const std::vector<char>& bytes = attributes.at(attribute);
    std::vector<Value> values(bytes.size() / sizeof(Value));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  template <class Value>
  Value get(int attribute) const {
    Value value{};
    std::memcpy(&value, attributes.at(attribute).data(), sizeof value);
    return value;
  }
  const Descriptor& part(int attribute) const { return *static_cast<Descriptor*>(get<void*>(attribute)); }
};

// What a descriptor takes: an attribute that is not here is refused, and one that is needed must be set.
struct Rule {
  cudnnBackendDescriptorType_t descriptor;
  cudnnBackendAttributeName_t attribute;
  cudnnBackendAttributeType_t type;
  std::int64_t count;  // 0: any
  bool is_needed;
};
const std::array kRules{
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, true},
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, true},
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, true},
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, true},
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, true},
    Rule{CUDNN_BACKEND_TENSOR_DESCRIPTOR, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, false},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, true},
    Rule{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, true},
    Rule{CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, true},
    Rule{CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, true},
    Rule{CUDNN_BACKEND_POINTWISE_DESCRIPTOR, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, false},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
         CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
         CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
         CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
         CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, CUDNN_TYPE_FLOAT, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, false},
    Rule{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, true},
    Rule{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
         true},
    Rule{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1,
         true},
    Rule{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, true},
    Rule{CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, true},
    Rule{CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, true},
    Rule{CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, true},
    Rule{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, true},
    Rule{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, true},
    Rule{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG,
         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, true},
    Rule{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 0, true},
    Rule{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 0, true},
    Rule{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, true}};

std::size_t bytes_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_BOOLEAN: return sizeof(bool);
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_DOUBLE:
    case CUDNN_TYPE_VOID_PTR:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_BACKEND_DESCRIPTOR: return 8;
    default: return 4;  // f32 and enumerations
  }
}

// A copy of what a tensor's descriptor says, as descriptors may be gone when a captured graph runs.
struct Tensor {
  explicit Tensor(const Descriptor& d)
      : id(d.get<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID)),
        is_bf16(d.get<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) == CUDNN_DATA_BFLOAT16),
        is_virtual(d.has(CUDNN_ATTR_TENSOR_IS_VIRTUAL) && d.get<bool>(CUDNN_ATTR_TENSOR_IS_VIRTUAL)) {
    const auto extents = d.list<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
    n = extents[0], c = extents[1], h = extents[2], w = extents[3];
  }
  std::int64_t at(std::int64_t in, std::int64_t ih, std::int64_t iw, std::int64_t ic) const {
    return ((in * h + ih) * w + iw) * c + ic;
  }
  std::int64_t count() const { return n * c * h * w; }

  std::int64_t id, n, c, h, w;
  bool is_bf16, is_virtual;
};

using Values = std::vector<double>;

// The values of all tensors of one run, those in memory as they are read and written.
class Arrays {
public:
  explicit Arrays(std::map<std::int64_t, void*> data) : data_(std::move(data)) {}

  Values read(const Tensor& tensor) const {
    if (tensor.is_virtual) {
      return between_.at(tensor.id);
    }
    Values values(static_cast<std::size_t>(tensor.count()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = load(data_.at(tensor.id), tensor.is_bf16, i);
    }
    return values;
  }
  void write(const Tensor& tensor, const Values& values, double factor, double extra) {
    if (tensor.is_virtual) {
      between_[tensor.id] = values;
      return;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      store(data_.at(tensor.id), tensor.is_bf16, i, factor * values[i] + extra);
    }
  }

private:
  std::map<std::int64_t, void*> data_;
  std::map<std::int64_t, Values> between_;
};

using Step = std::function<void(Arrays&, double factor, double extra)>;

struct Window {
  explicit Window(const Descriptor& d)
      : before(d.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS)),
        strides(d.list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES)) {}
  std::vector<std::int64_t> before, strides;
};

// Calls `add` for every place of the filter at every place of the output, with the first elements there: of the C in x,
// of the C in w's first filter, of the K in y.
template <class Add>
void for_places(const Window& window, const Tensor& x, const Tensor& w, const Tensor& y, Add&& add) {
  for (std::int64_t n = 0; n < y.n; ++n) {
    for (std::int64_t p = 0; p < y.h; ++p) {
      for (std::int64_t q = 0; q < y.w; ++q) {
        for (std::int64_t r = 0; r < w.h; ++r) {
          const std::int64_t row = p * window.strides[0] + r - window.before[0];
          for (std::int64_t s = 0; s < w.w; ++s) {
            const std::int64_t column = q * window.strides[1] + s - window.before[1];
            if (row >= 0 && row < x.h && column >= 0 && column < x.w) {
              add(x.at(n, row, column, 0), w.at(0, r, s, 0), y.at(n, p, q, 0));
            }
          }
        }
      }
    }
  }
}

// [count, size] -> [size, count]
Values transposed(const Values& values, std::int64_t count) {
  const std::int64_t size = static_cast<std::int64_t>(values.size()) / count;
  Values result(values.size());
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = 0; j < size; ++j) {
      result[j * count + i] = values[i * size + j];
    }
  }
  return result;
}

Step convolution(const Descriptor& op) {
  const bool is_forward = op.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
             is_data = op.type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
  const auto part = [&](int forward, int data, int filter) -> const Descriptor& {
    return op.part(is_forward ? forward : is_data ? data : filter);
  };
  const Window window(part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                           CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC));
  const Tensor x(part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                      CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X)),
      w(part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW)),
      y(part(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY));
  return [=](Arrays& arrays, double factor, double extra) {
    const Tensor& result = is_forward ? y : is_data ? x : w;
    Values sums(static_cast<std::size_t>(result.count()));
    const Values a = arrays.read(is_data ? y : x), b = arrays.read(is_forward || is_data ? w : y);
    const std::int64_t filter = w.h * w.w * w.c;
    if (is_forward) {
      const Values by_filter = transposed(b, w.n);
      for_places(window, x, w, y, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
        for (std::int64_t c = 0; c < w.c; ++c) {
          add_multiple(a[ix + c], &by_filter[(iw + c) * w.n], w.n, &sums[iy]);
        }
      });
    } else {
      for_places(window, x, w, y, [&](std::int64_t ix, std::int64_t iw, std::int64_t iy) {
        for (std::int64_t k = 0; k < w.n; ++k) {
          is_data ? add_multiple(a[iy + k], &b[k * filter + iw], w.c, &sums[ix])
                  : add_multiple(b[iy + k], &a[ix], w.c, &sums[k * filter + iw]);
        }
      });
    }
    arrays.write(result, sums, factor, extra);
  };
}

Step pointwise(const Descriptor& op) {
  const Descriptor& what = op.part(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
  const auto mode = what.get<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE);
  const double slope = what.has(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE)
                           ? what.get<double>(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE)
                           : 0;
  const Tensor x(op.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC)), y(op.part(CUDNN_ATTR_OPERATION_POINTWISE_YDESC));
  const Tensor bias(mode == CUDNN_POINTWISE_ADD ? op.part(CUDNN_ATTR_OPERATION_POINTWISE_BDESC)
                                                : op.part(CUDNN_ATTR_OPERATION_POINTWISE_XDESC));
  return [=](Arrays& arrays, double factor, double extra) {
    Values values = arrays.read(x);
    const Values b = mode == CUDNN_POINTWISE_ADD ? arrays.read(bias) : Values();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double value = values[i];
      values[i] = mode == CUDNN_POINTWISE_ADD        ? value + b[i % b.size()]
                  : mode == CUDNN_POINTWISE_TANH_FWD ? std::tanh(value)
                  : mode == CUDNN_POINTWISE_SIGMOID_FWD
                      ? 1 / (1 + std::exp(-value))
                      : (value > 0 || std::isnan(value) ? value : slope * value + 0.0);
    }
    arrays.write(y, values, factor, extra);
  };
}

struct Run {
  std::vector<Step> steps;
  std::map<std::int64_t, void*> data;
  const Engine* engine;

  void run() const {
    static std::uint64_t calls = 0;
    ++calls;
    vendor_log.runs.push_back({engine->index, duel::emulator::runtime().graph_launches});
    const bool is_first = engine == &kEngines.front();
    Arrays arrays(data);
    for (const Step& step : steps) {
      step(arrays, is_first && mood_is("wrong") ? 1.01 : 1,
           is_first && mood_is("restless") ? 1e-6 * static_cast<double>(calls % 7) : 0);
    }
  }
};

std::vector<std::unique_ptr<Run>>& runs() {  // captured ones are run again
  static std::vector<std::unique_ptr<Run>> list;
  return list;
}

std::vector<const Descriptor*> operations(const Descriptor& graph) {
  std::vector<const Descriptor*> list;
  for (void* const op : graph.list<void*>(CUDNN_ATTR_OPERATIONGRAPH_OPS)) {
    list.push_back(static_cast<Descriptor*>(op));
  }
  return list;
}

std::vector<const Engine*> engines(const Descriptor& graph) {
  const bool is_fused = operations(graph).size() > 1;
  std::vector<const Engine*> list;
  for (const Engine& engine : kEngines) {
    const bool is_offered = (list.empty() || !(mood_is("single") || mood_is("unfused"))) &&
                            !(mood_is("unfused") && is_fused) && !mood_is("unsupported");
    if (is_offered) {
      list.push_back(&engine);
    }
  }
  return list;
}

// The tensors of a graph that lie in memory.
std::map<std::int64_t, Tensor> tensors_in_memory(const Descriptor& graph) {
  std::map<std::int64_t, Tensor> found;
  for (const Descriptor* const op : operations(graph)) {
    for (const Rule& rule : kRules) {
      if (rule.descriptor == op->type && rule.type == CUDNN_TYPE_BACKEND_DESCRIPTOR && op->has(rule.attribute) &&
          op->part(rule.attribute).type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
        const Tensor tensor(op->part(rule.attribute));
        if (!tensor.is_virtual) {
          found.emplace(tensor.id, tensor);
        }
      }
    }
  }
  return found;
}

bool is_whole(const Descriptor& d) {
  for (const Rule& rule : kRules) {
    if (rule.descriptor != d.type) {
      continue;
    }
    if (rule.is_needed && !d.has(rule.attribute)) {
      return false;
    }
    if (rule.type == CUDNN_TYPE_BACKEND_DESCRIPTOR && d.has(rule.attribute)) {
      for (void* const part : d.list<void*>(rule.attribute)) {
        if (part == nullptr || !static_cast<Descriptor*>(part)->is_finalized) {
          return false;
        }
      }
    }
  }
  if (d.type == CUDNN_BACKEND_TENSOR_DESCRIPTOR) {  // N, H, W, C without gaps
    const Tensor t(d);
    return d.list<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES) ==
               std::vector<std::int64_t>{t.h * t.w * t.c, 1, t.w * t.c, t.c} &&
           t.count() > 0;
  }
  return true;
}

// An engine or a configuration that was not proposed but described. False where there is none of that number, or where
// it has no such knobs.
bool find_engine(Descriptor& d) {
  if (d.type == CUDNN_BACKEND_ENGINE_DESCRIPTOR) {
    d.graph = &d.part(CUDNN_ATTR_ENGINE_OPERATION_GRAPH);
    for (const Engine* const engine : engines(*d.graph)) {
      d.engine = engine->index == d.get<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX) ? engine : d.engine;
    }
  } else {
    const Descriptor &engine = d.part(CUDNN_ATTR_ENGINECFG_ENGINE), &knob = d.part(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES);
    const bool has_knobs = d.list<void*>(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES).size() == 1 &&
                           knob.get<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE) == kKnob &&
                           knob.get<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE) == kKnobValue;
    d.graph = engine.graph;
    d.engine = has_knobs ? engine.engine : nullptr;
  }
  return d.engine != nullptr;
}

template <class Value>
void give(void* values, const Value& value) {
  std::memcpy(values, &value, sizeof value);
}

}  // namespace

extern "C" {

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  *handle = new cudnnContext;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  delete handle;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

std::size_t cudnnGetVersion() {
  return CUDNN_VERSION;
}

const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_EXECUTION_FAILED ? "CUDNN_STATUS_EXECUTION_FAILED"
         : status == CUDNN_STATUS_NOT_SUPPORTED  ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                 : "CUDNN_STATUS_BAD_PARAM";
}

void cudnnGetLastErrorString(char* text, std::size_t bytes) {
  std::snprintf(text, bytes, "as the test wants it");
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor) {
  *descriptor = new Descriptor{type, false, {}, nullptr, nullptr, {}};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  delete static_cast<Descriptor*>(descriptor);
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t attribute,
                                       cudnnBackendAttributeType_t type, std::int64_t count, const void* values) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  const auto* const rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) {
    return r.descriptor == d.type && r.attribute == attribute && r.type == type && (r.count == 0 || r.count == count);
  });
  if (d.is_finalized || rule == kRules.end() || values == nullptr || count <= 0) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  const char* const begin = static_cast<const char*>(values);
  d.attributes[attribute].assign(begin, begin + static_cast<std::size_t>(count) * bytes_of(type));
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  if (d.is_finalized || !is_whole(d) || mood_is("failing")) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  vendor_log.asked += d.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
  vendor_log.built += d.type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
  if ((d.type == CUDNN_BACKEND_ENGINE_DESCRIPTOR || d.type == CUDNN_BACKEND_ENGINECFG_DESCRIPTOR) && !find_engine(d)) {
    return CUDNN_STATUS_NOT_SUPPORTED;
  }
  if (d.type == CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR && engines(d.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH)).empty()) {
    return CUDNN_STATUS_NOT_SUPPORTED;
  }
  d.is_finalized = true;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t attribute,
                                       cudnnBackendAttributeType_t, std::int64_t wanted, std::int64_t* count,
                                       void* values) {
  auto& d = *static_cast<Descriptor*>(descriptor);
  if (!d.is_finalized) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  void** const handles = static_cast<void**>(values);
  const auto fill = [&](std::int64_t i, const Engine* engine, const Descriptor* graph) {
    auto& part = *static_cast<Descriptor*>(handles[i]);
    part.engine = engine;
    part.graph = graph;
    part.is_finalized = true;
  };
  *count = 1;
  switch (attribute) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS: {
      const Descriptor& graph = d.part(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
      const auto found = engines(graph);
      *count = static_cast<std::int64_t>(found.size());
      for (std::int64_t i = 0; i < std::min(wanted, *count); ++i) {
        fill(i, found[static_cast<std::size_t>(i)], &graph);
      }
      return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_ENGINECFG_ENGINE:
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES: fill(0, d.engine, d.graph); return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX: give(values, d.engine->index); return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
      *count = d.engine->note ? 1 : 0;
      if (d.engine->note) {
        give(values, *d.engine->note);
      }
      return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE: give(values, kKnob); return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE: give(values, kKnobValue); return CUDNN_STATUS_SUCCESS;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
      give(values, d.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG).engine->workspace_bytes);
      return CUDNN_STATUS_SUCCESS;
    default: return CUDNN_STATUS_BAD_PARAM;
  }
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t variant_pack) {
  auto& p = *static_cast<Descriptor*>(plan);
  const auto& pack = *static_cast<Descriptor*>(variant_pack);
  if (mood_is("broken")) {
    return CUDNN_STATUS_EXECUTION_FAILED;
  }
  if (!p.is_finalized || !pack.is_finalized) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  const Descriptor& configuration = p.part(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (mood_is("faltering") && configuration.engine == &kEngines.front()) {
    return CUDNN_STATUS_EXECUTION_FAILED;
  }
  const auto ids = pack.list<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto pointers = pack.list<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
  const auto tensors = tensors_in_memory(*configuration.graph);
  auto run = std::make_unique<Run>();
  run->engine = configuration.engine;
  for (std::size_t i = 0; i < std::min(ids.size(), pointers.size()); ++i) {
    if (!tensors.contains(ids[i]) || pointers[i] == nullptr || !is_aligned(pointers[i])) {
      return CUDNN_STATUS_BAD_PARAM;
    }
    run->data[ids[i]] = pointers[i];
  }
  const bool has_workspace = pack.get<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE) != nullptr;
  if (run->data.size() != tensors.size() || (run->engine->workspace_bytes > 0 && !has_workspace)) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  if (is_first_run_in_capture(p.has_run_on, handle->stream)) {
    return CUDNN_STATUS_EXECUTION_FAILED;
  }
  if (computes(*run->engine)) {
    for (const Descriptor* const op : operations(*configuration.graph)) {
      run->steps.push_back(op->type == CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR ? pointwise(*op)
                                                                                    : convolution(*op));
    }
  }
  runs().push_back(std::move(run));
  const cudaError_t queued = cudaLaunchHostFunc(
      handle->stream, [](void* data) { static_cast<Run*>(data)->run(); }, runs().back().get());
  return queued == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

}  // extern "C"

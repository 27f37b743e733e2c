// A graph of cuDNN's operations, and the plans that run it: what conv2d_cudnn.cpp needs of cuDNN's backend API.
#pragma once

#include "kernels/cuda/cudnn.h"
#include "kernels/cuda/vendor_plan.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace duel {

// A descriptor, until it is finalised and after; destroyed with this.
class CudnnDescriptor {
public:
  // Errors begin with `what`, which outlives this.
  CudnnDescriptor(const Cudnn& library, cudnnBackendDescriptorType_t type, const std::string& what);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept;
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;

  cudnnBackendDescriptor_t get() const { return descriptor_; }
  void set(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values);
  template <class Value>
  void set(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, const Value& value) {
    set(attribute, type, 1, &value);
  }
  // How many elements were read, at most `most`.
  std::int64_t read(cudnnBackendAttributeName_t attribute, cudnnBackendAttributeType_t type, std::int64_t most,
                    void* values) const;
  void finalize();
  cudnnStatus_t try_finalize();

private:
  const Cudnn& library_;
  const std::string& what_;
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

struct CudnnTensor {
  std::int64_t id = 0;
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  std::array<std::int64_t, 4> extents{};  // as cuDNN orders them: N, C, H, W; they lie in memory as N, H, W, C
  bool is_virtual = false;                // between two operations, and never in memory
};

class CudnnGraph : public std::enable_shared_from_this<CudnnGraph> {
public:
  CudnnGraph(const Cudnn& library, std::string what) : library_(library), what_(std::move(what)) {}

  // A descriptor of this graph's, to be filled and finalised.
  CudnnDescriptor& add(cudnnBackendDescriptorType_t type);
  cudnnBackendDescriptor_t tensor(const CudnnTensor& tensor);
  void operation(cudnnBackendDescriptorType_t type,
                 std::initializer_list<std::pair<cudnnBackendAttributeName_t, cudnnBackendDescriptor_t>> parts,
                 std::initializer_list<std::pair<cudnnBackendAttributeName_t, float>> factors);

  // What runs it: the engines that give the same bytes each time and sum in f32, and that round no f32 input unless
  // `allow_tf32`. A plan's inputs are the tensors `inputs`, a negative one of which is not used, and its output is the
  // tensor `output`. Engines that round inputs to less than TF32 are left out. Ends the description of the graph.
  std::unique_ptr<VendorPlans> plans(std::vector<std::int64_t> inputs, std::int64_t output, bool has_f32_inputs,
                                     bool allow_tf32);

  const Cudnn& library() const { return library_; }
  const std::string& what() const { return what_; }

  cudnnBackendDescriptor_t operation_graph() const { return operation_graph_; }  // null: cuDNN does not take it

private:
  const Cudnn& library_;
  std::string what_;
  std::vector<std::unique_ptr<CudnnDescriptor>> descriptors_;
  std::vector<cudnnBackendDescriptor_t> operations_;
  cudnnBackendDescriptor_t operation_graph_ = nullptr;
};

}  // namespace duel

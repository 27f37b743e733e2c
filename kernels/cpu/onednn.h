// oneDNN, as the operators of this backend use it: primitives built once per problem and kept.
//
// A plan is one to three primitives (the main one, and reorders of weights into and out of the layout it likes), with
// all memory objects made beforehand; running it only sets pointers. Works with oneDNN 2.6 and 3.x: what differs
// between the two stands in onednn.cpp, matmul.cpp and conv2d.cpp behind DUEL_ONEDNN_3.
#pragma once

#include "kernels/activation.h"
#include "kernels/cpu/context.h"
#include "kernels/tensor.h"

#include <dnnl.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#if DNNL_VERSION_MAJOR >= 3
#define DUEL_ONEDNN_3 1
#endif

namespace duel {

const dnnl::engine& onednn_engine();
std::string onednn_version();  // "2.6.3, avx512_core_bf16"

dnnl::memory::data_type onednn_type(DType dtype);

// Attributes with scratch memory given by us, and the activation as a post-operation; but ReLU, which oneDNN takes as a
// maximum that hides a NaN, is then still to be taken behind the primitive.
dnnl::primitive_attr onednn_attributes(const Activation& activation);
void finish_activation(CpuContext& context, const Activation& activation, View y);

class OnednnPlan {
public:
  explicit OnednnPlan(int threads) : threads_(threads) {}
  // A primitive; its scratch memory, if it wants some, is taken from the context's.
  void add(const dnnl::primitive& primitive, std::initializer_list<std::pair<int, dnnl::memory>> arguments,
           const dnnl::memory::desc& scratch);
  // An array of the caller; they are bound in the order of these calls.
  dnnl::memory caller_array(const dnnl::memory::desc& layout);
  // An array of the plan's own.
  dnnl::memory own_array(const dnnl::memory::desc& layout);
  // A copy from one layout into another.
  void add_reorder(const dnnl::memory& from, const dnnl::memory& to);

  void run(CpuContext& context, std::initializer_list<void*> arrays);

  std::size_t scratch_bytes() const { return scratch_bytes_; }
  std::size_t owned_bytes() const { return owned_bytes_; }

private:
  struct Stage {
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> arguments;
  };
  int threads_;
  std::vector<Stage> stages_;
  std::vector<dnnl::memory> caller_arrays_, own_arrays_, scratch_;
  std::size_t scratch_bytes_ = 0, owned_bytes_ = 0;
};

// What a plan is kept under: the operator, its types, extents and parameters.
class OnednnKey {
public:
  explicit OnednnKey(int op) { add(op); }
  OnednnKey& add(std::int64_t value);
  OnednnKey& add(const View& view);
  OnednnKey& add(const Activation& activation);

  bool operator==(const OnednnKey&) const = default;
  std::size_t hash() const;

private:
  std::array<std::int64_t, 40> values_{};
  std::size_t size_ = 0;
};

class OnednnCache {
public:
  OnednnCache() : stream_(onednn_engine()) {}

  // The plan under `key`, made by `make(OnednnPlan&)` the first time, for as many threads as a problem of that many
  // floating-point operations keeps busy. A template, so that a step's look-up of a plan
  // that is there allocates nothing (a std::function of so many captures would).
  template <class Make>
  OnednnPlan& plan(CpuContext& context, const OnednnKey& key, double flops, const Make& make) {
    const auto found = plans_.find(key);
    return found != plans_.end() ? *found->second : make_plan(context, key, flops, make);
  }
  dnnl::stream& stream() { return stream_; }
  std::size_t owned_bytes() const { return owned_bytes_; }

private:
  struct Hash {
    std::size_t operator()(const OnednnKey& key) const { return key.hash(); }
  };
  OnednnPlan& make_plan(CpuContext& context, const OnednnKey& key, double flops,
                        const std::function<void(OnednnPlan&)>& make);

  dnnl::stream stream_;
  std::unordered_map<OnednnKey, std::unique_ptr<OnednnPlan>, Hash> plans_;
  std::size_t owned_bytes_ = 0;
};

}  // namespace duel

#include "kernels/cpu/onednn.h"

#include "kernels/check.h"
#include "kernels/cpu/onednn_isa.h"
#include "kernels/cpu/onednn_threads.h"

#include <bit>

namespace duel {

void bias_act_forward(CpuContext&, const Activation&, View x, View bias, View y);  // of bias_act.cpp

const dnnl::engine& onednn_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}, {}", version->major, version->minor, version->patch,
                     onednn_isa_name(dnnl_get_effective_cpu_isa()));
}

dnnl::memory::data_type onednn_type(DType dtype) {
  check(dtype == DType::f32 || dtype == DType::bf16, "oneDNN was given elements of type {}", name_of(dtype));
  return dtype == DType::f32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

dnnl::primitive_attr onednn_attributes(const Activation& activation) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (activation.kind == ActivationKind::identity || activation.kind == ActivationKind::relu) {
    return attributes;
  }
  dnnl::algorithm algorithm = dnnl::algorithm::eltwise_relu;
  if (activation.kind == ActivationKind::tanh) {
    algorithm = dnnl::algorithm::eltwise_tanh;
  } else if (activation.kind == ActivationKind::sigmoid) {
    algorithm = dnnl::algorithm::eltwise_logistic;
  }
  const float alpha = activation.kind == ActivationKind::leaky_relu ? activation.slope : 0.0F;
  dnnl::post_ops operations;
#ifdef DUEL_ONEDNN_3
  operations.append_eltwise(algorithm, alpha, 0.0F);
#else
  operations.append_eltwise(1.0F, algorithm, alpha, 0.0F);
#endif
  attributes.set_post_ops(operations);
  return attributes;
}

void finish_activation(CpuContext& context, const Activation& activation, View y) {
  if (activation.kind == ActivationKind::relu) {
    bias_act_forward(context, activation, y, {}, y);
  }
}

void OnednnPlan::add(const dnnl::primitive& primitive, std::initializer_list<std::pair<int, dnnl::memory>> arguments,
                     const dnnl::memory::desc& scratch) {
  Stage stage{primitive, {}};
  for (const auto& [index, memory] : arguments) {
    stage.arguments.push_back({index, memory.get()});
  }
  if (scratch.get_size() > 0) {
    scratch_.emplace_back(scratch, onednn_engine(), static_cast<void*>(DNNL_MEMORY_NONE));
    scratch_bytes_ = std::max(scratch_bytes_, scratch.get_size());
    stage.arguments.push_back({DNNL_ARG_SCRATCHPAD, scratch_.back().get()});
  }
  stages_.push_back(std::move(stage));
}

dnnl::memory OnednnPlan::caller_array(const dnnl::memory::desc& layout) {
  return caller_arrays_.emplace_back(layout, onednn_engine(), static_cast<void*>(DNNL_MEMORY_NONE));
}

dnnl::memory OnednnPlan::own_array(const dnnl::memory::desc& layout) {
  owned_bytes_ += layout.get_size();
  return own_arrays_.emplace_back(layout, onednn_engine());
}

void OnednnPlan::add_reorder(const dnnl::memory& from, const dnnl::memory& to) {
  own_arrays_.push_back(from);  // keeps both alive as long as the plan
  own_arrays_.push_back(to);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc description(from, to, attributes);
  add(dnnl::reorder(description), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, description.scratchpad_desc());
}

void OnednnPlan::run(CpuContext& context, std::initializer_list<void*> arrays) {
  check(arrays.size() == caller_arrays_.size(), "oneDNN: {} arrays given where {} are bound", arrays.size(),
        caller_arrays_.size());
  std::size_t index = 0;
  for (void* data : arrays) {
    caller_arrays_[index++].set_data_handle(data);
  }
  for (dnnl::memory& scratch : scratch_) {
    scratch.set_data_handle(context.scratch());
  }
  const OnednnThreads scope(context.team(), threads_);
  dnnl_stream_t stream = context.onednn().stream().get();
  for (const Stage& stage : stages_) {
    const dnnl_status_t status = dnnl_primitive_execute(
        stage.primitive.get(), stream, static_cast<int>(stage.arguments.size()), stage.arguments.data());
    check(status == dnnl_success, "oneDNN: a primitive failed with status {}", static_cast<int>(status));
  }
}

OnednnKey& OnednnKey::add(std::int64_t value) {
  check(size_ < values_.size(), "oneDNN: a key has more than {} parts", values_.size());
  values_[size_++] = value;
  return *this;
}

OnednnKey& OnednnKey::add(const View& view) {
  add(view.shape.rank()).add(static_cast<std::int64_t>(view.dtype));
  for (const int extent : view.shape) {
    add(extent);
  }
  return *this;
}

OnednnKey& OnednnKey::add(const Activation& activation) {
  return add(static_cast<std::int64_t>(activation.kind)).add(std::bit_cast<std::int32_t>(activation.slope));
}

std::size_t OnednnKey::hash() const {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a over whole words
  for (std::size_t i = 0; i < size_; ++i) {
    hash = (hash ^ static_cast<std::uint64_t>(values_[i])) * 0x100000001B3U;
  }
  return hash;
}

// Of a problem that one thread computes alone. oneDNN waits until all of its threads have come: beside other programs
// that is the turn of one of them (4 ms), and where the threads' caches are far apart, data that move from one to the
// other take longer than so much arithmetic (10 to 20 us of a product).
constexpr double kParallelFlops = 1e6;

OnednnPlan& OnednnCache::make_plan(CpuContext& context, const OnednnKey& key, double flops,
                                   const std::function<void(OnednnPlan&)>& make) {
  const int threads = flops < kParallelFlops ? 1 : context.threads();
  const OnednnThreads scope(context.team(), threads);  // primitives are built for a number of threads
  auto made = std::make_unique<OnednnPlan>(threads);
  try {
    make(*made);
  } catch (const dnnl::error& error) {
    throw_error(Error::Kind::internal, "oneDNN {}: {} (status {})", onednn_version(), error.what(),
                static_cast<int>(error.status));
  }
  context.reserve_scratch(made->scratch_bytes());
  owned_bytes_ += made->owned_bytes();
  return *(plans_[key] = std::move(made));
}

}  // namespace duel

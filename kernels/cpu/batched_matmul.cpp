// Batches of matrix products through oneDNN's matmul, on plain row-major arrays.
#include "kernels/batched_matmul.h"

#include "kernels/cpu/onednn.h"

namespace duel {

namespace {

using Tag = dnnl::memory::format_tag;

dnnl::memory::desc matrices(View view, bool transposed) {
  const Shape& s = view.shape;
  return transposed ? dnnl::memory::desc({s[0], s[2], s[1]}, onednn_type(view.dtype), Tag::acb)
                    : dnnl::memory::desc({s[0], s[1], s[2]}, onednn_type(view.dtype), Tag::abc);
}

void make_plan(OnednnPlan& plan, const BatchedMatmul& p, View a, View b, View y) {
  // As in matmul.cpp: oneDNN has no product of f32 into bf16.
  const bool is_rounded = a.dtype == DType::f32 && y.dtype == DType::bf16;
  const View product{nullptr, y.shape, is_rounded ? DType::f32 : y.dtype};
  const dnnl::memory::desc a_md = matrices(a, p.transpose_a), b_md = matrices(b, p.transpose_b),
                           y_md = matrices(product, false);
  const dnnl::primitive_attr attributes = onednn_attributes({});
#ifdef DUEL_ONEDNN_3
  const dnnl::matmul::primitive_desc description(onednn_engine(), a_md, b_md, y_md, attributes);
#else
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a_md, b_md, y_md), attributes, onednn_engine());
#endif
  const dnnl::memory a_memory = plan.caller_array(a_md), b_memory = plan.caller_array(b_md),
                     y_array = plan.caller_array(matrices(y, false));
  const dnnl::memory y_memory = is_rounded ? plan.own_array(y_md) : y_array;
  plan.add(dnnl::matmul(description),
           {{DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, y_memory}},
           description.scratchpad_desc());
  if (is_rounded) {
    plan.add_reorder(y_memory, y_array);
  }
}

OnednnPlan& find_plan(CpuContext& context, const BatchedMatmul& p, View a, View b, View y) {
  constexpr int kOp = 100;  // apart from those of matmul.cpp and conv2d.cpp
  OnednnKey key(kOp);
  key.add(a).add(b).add(y).add(p.transpose_a).add(p.transpose_b);
  return context.onednn().plan(context, key, batched_matmul_cost(p, a, b, y).flops,
                               [&](OnednnPlan& plan) { make_plan(plan, p, a, b, y); });
}

}  // namespace

void prepare_batched_matmul(CpuContext& context, const BatchedMatmul& p, View a, View b, View y) {
  find_plan(context, p, a, b, y);
}

void batched_matmul(CpuContext& context, const BatchedMatmul& p, View a, View b, View y) {
  find_plan(context, p, a, b, y).run(context, {a.data, b.data, y.data});
}

}  // namespace duel

// Matrix products through oneDNN's matmul, on plain row-major arrays: no reordering of operands. Those with one long
// extent are ours (matmul_long.h).
#include "kernels/matmul.h"

#include "kernels/cpu/matmul_long.h"
#include "kernels/cpu/onednn.h"

namespace duel {

namespace {

using Tag = dnnl::memory::format_tag;

dnnl::memory::desc matrix(View view, bool transposed) {
  const std::int64_t rows = view.shape[0], columns = view.shape.row_count();
  return transposed ? dnnl::memory::desc({columns, rows}, onednn_type(view.dtype), Tag::ba)
                    : dnnl::memory::desc({rows, columns}, onednn_type(view.dtype), Tag::ab);
}

void make_plan(OnednnPlan& plan, const Matmul& p, View a, View b, View bias, View y) {
  const bool has_bias = bias.shape.rank() > 0;
  // oneDNN has no product of f32 into bf16: that one is made in f32 and rounded afterwards.
  const bool is_rounded = a.dtype == DType::f32 && y.dtype == DType::bf16;
  const View product{nullptr, y.shape, is_rounded ? DType::f32 : y.dtype};
  const dnnl::memory::desc a_md = matrix(a, p.transpose_a), b_md = matrix(b, p.transpose_b),
                           y_md = matrix(product, false);
  const dnnl::memory::desc bias_md =
      has_bias ? dnnl::memory::desc({1, bias.count()}, onednn_type(bias.dtype), Tag::ab) : dnnl::memory::desc();
  const dnnl::primitive_attr attributes = onednn_attributes(p.activation);
#ifdef DUEL_ONEDNN_3
  const auto description = has_bias
                               ? dnnl::matmul::primitive_desc(onednn_engine(), a_md, b_md, bias_md, y_md, attributes)
                               : dnnl::matmul::primitive_desc(onednn_engine(), a_md, b_md, y_md, attributes);
#else
  const dnnl::matmul::desc problem =
      has_bias ? dnnl::matmul::desc(a_md, b_md, bias_md, y_md) : dnnl::matmul::desc(a_md, b_md, y_md);
  const dnnl::matmul::primitive_desc description(problem, attributes, onednn_engine());
#endif
  const dnnl::memory a_memory = plan.caller_array(a_md), b_memory = plan.caller_array(b_md);
  const dnnl::memory y_array = plan.caller_array(matrix(y, false));
  const dnnl::memory y_memory = is_rounded ? plan.own_array(y_md) : y_array;
  if (has_bias) {
    plan.add(dnnl::matmul(description),
             {{DNNL_ARG_SRC, a_memory},
              {DNNL_ARG_WEIGHTS, b_memory},
              {DNNL_ARG_DST, y_memory},
              {DNNL_ARG_BIAS, plan.caller_array(bias_md)}},
             description.scratchpad_desc());
  } else {
    plan.add(dnnl::matmul(description),
             {{DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, b_memory}, {DNNL_ARG_DST, y_memory}},
             description.scratchpad_desc());
  }
  if (is_rounded) {
    plan.add_reorder(y_memory, y_array);
  }
}

OnednnPlan& find_plan(CpuContext& context, const Matmul& p, View a, View b, View bias, View y) {
  OnednnKey key(0);
  key.add(a).add(b).add(bias).add(y).add(p.transpose_a).add(p.transpose_b).add(p.activation);
  return context.onednn().plan(context, key, matmul_cost(p, a, b, bias, y).flops,
                               [&](OnednnPlan& plan) { make_plan(plan, p, a, b, bias, y); });
}

bool takes_long(const CpuContext& context, const Matmul& p, View a, View b, View bias, View y) {
  return !context.is_vendor_only() && suits_matmul_long(p, a, b, bias, y);
}

}  // namespace

void prepare_matmul(CpuContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (takes_long(context, p, a, b, bias, y)) {
    context.reserve_scratch(matmul_long_scratch_bytes(context, y));
    return;
  }
  find_plan(context, p, a, b, bias, y);
}

void matmul(CpuContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (takes_long(context, p, a, b, bias, y)) {
    matmul_long(context, p, a, b, bias, y);
    return;
  }
  OnednnPlan& plan = find_plan(context, p, a, b, bias, y);
  if (bias.shape.rank() > 0) {
    plan.run(context, {a.data, b.data, y.data, bias.data});
  } else {
    plan.run(context, {a.data, b.data, y.data});
  }
  finish_activation(context, p.activation, y);
}

}  // namespace duel

// Who computes a matrix product: our kernels (matmul.cu), or cuBLASLt where it was quicker (choice.h).
#include "kernels/matmul.h"

#include "kernels/cuda/choice.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/matmul_ours.h"
#include "kernels/cuda/vendor.h"
#include "kernels/cuda/vendor_forms.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

namespace duel {

void prepare_matmul(CudaContext&, const Matmul&, View a, View b, View bias, View y);
void bias_act_forward(CudaContext&, const Activation&, View x, View bias, View y);  // of bias_act.cu
void cast(CudaContext&, View x, View y);                                            // of elementwise.cu

namespace {

std::string text_of(const Matmul& p, View a, View b, View bias, View y) {
  return fmt::format("matmul {}{} {}{}{} -> {}, {}", a, p.transpose_a ? "'" : "", b, p.transpose_b ? "'" : "",
                     bias.shape.rank() > 0 ? fmt::format(" {}", bias) : "", y, to_string(p.activation));
}

const VendorPlan* vendor_plan(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (context.choices().are_ours()) {
    return nullptr;
  }
  const std::string text = text_of(p, a, b, bias, y);
  if (!context.choices().has(text)) {
    prepare_matmul(context, p, a, b, bias, y);
  }
  return context.choices().plan(text);
}

// All by cuBLASLt where it can. It takes no f32 bias for a bf16 result, and a bias that is rounded to bf16 is not the
// contract's; so the result is f32 there, and rounded to bf16 once, by our cast behind it. Where it has no kernel with
// a bias for that either, bias and activation are ours as well.
std::unique_ptr<VendorPlans> vendor_plans(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  const auto plans = [&context, p, a, b](const Activation& activation, View with_bias, View result) {
    return context.vendor().matmul_plans({p.transpose_a, p.transpose_b, activation}, context.allows_tf32(), a, b,
                                         with_bias, result);
  };
  std::vector<VendorForm> forms{{"", [=, act = p.activation] { return plans(act, bias, y); }, nullptr}};
  const bool has_relu = p.activation.kind == ActivationKind::relu;
  if (y.dtype == DType::bf16 && bias.shape.rank() > 0 && (has_relu || p.activation.kind == ActivationKind::identity)) {
    const View sum{nullptr, y.shape, DType::f32};
    forms.push_back({" + our cast", [=, act = p.activation] { return plans(act, bias, sum); },
                     [&context](std::span<const View>, View result, View output) { cast(context, result, output); },
                     true});
    forms.push_back({" + our bias_act and cast", [=] { return plans({}, View{}, sum); },
                     [&context, act = p.activation](std::span<const View> inputs, View result, View output) {
                       bias_act_forward(context, act, result, inputs[2], result);
                       cast(context, result, output);
                     },
                     true});
  }
  return plans_of(std::move(forms), y);
}

}  // namespace

void prepare_matmul(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  if (context.choices().are_ours()) {
    return;  // their scratch is the context's own
  }
  VendorProblem problem;
  problem.text = text_of(p, a, b, bias, y);
  problem.inputs = {a, b, bias};
  problem.output = y;
  problem.ours = [&](std::span<const View> inputs, View output) {
    matmul_ours(context, p, inputs[0], inputs[1], inputs[2], output);
  };
  problem.vendor = [&] { return vendor_plans(context, p, a, b, bias, y); };
  context.choices().decide(context, problem);
}

void matmul(CudaContext& context, const Matmul& p, View a, View b, View bias, View y) {
  const std::array inputs{a, b, bias};
  const VendorPlan* const plan = vendor_plan(context, p, a, b, bias, y);
  if (plan != nullptr && are_aligned(inputs, y)) {
    plan->run(context.stream(), inputs, y, context.scratch());
  } else {
    matmul_ours(context, p, a, b, bias, y);
  }
}

}  // namespace duel

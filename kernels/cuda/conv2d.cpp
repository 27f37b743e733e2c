// Who computes a convolution: our kernels (conv2d.cu), or cuDNN where it was quicker (choice.h). In groups it is always
// ours (conv2d_grouped.cu).
#include "kernels/conv2d.h"

#include "kernels/bias_act.h"
#include "kernels/cuda/choice.h"
#include "kernels/cuda/context.h"
#include "kernels/cuda/conv2d_ours.h"
#include "kernels/cuda/vendor.h"
#include "kernels/cuda/vendor_forms.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace duel {

void bias_act_forward(CudaContext&, const Activation&, View x, View bias, View y);  // of bias_act.cu

namespace {

// One call of one of the three operators.
struct Call {
  const char* op;
  const Conv2d& conv;
  Activation activation;
  std::vector<View> inputs;
  View output;

  std::string text() const {
    std::string text = fmt::format("{} {} {}", op, inputs[0], inputs[1]);
    if (inputs.size() > 2 && inputs[2].shape.rank() > 0) {
      text += fmt::format(" {}", inputs[2]);
    }
    return text + fmt::format(" -> {}, stride {}, padding {},{},{},{}, {}", output, conv.stride, conv.pad_top,
                              conv.pad_bottom, conv.pad_left, conv.pad_right, to_string(activation));
  }
};

// A graph with bias and activation where cuDNN has a kernel for it. Where it has none, as for f32 without tensor cores,
// two kernels; but not where the sum would be rounded to bf16 between them.
std::unique_ptr<VendorPlans> forward_plans(CudaContext& context, const Call& call) {
  const View x = call.inputs[0], w = call.inputs[1], bias = call.inputs[2], y = call.output;
  const auto plans = [&context, conv = call.conv, x, w, y](const Activation& activation, View b) {
    return context.vendor().conv2d_forward_plans(conv, activation, context.allows_tf32(), x, w, b, y);
  };
  std::vector<VendorForm> forms{{"", [=, act = call.activation] { return plans(act, bias); }, nullptr}};
  const bool is_plain = bias.shape.rank() == 0 && call.activation.kind == ActivationKind::identity;
  if (!is_plain && y.dtype == DType::f32) {
    forms.push_back({" + our bias_act", [=] { return plans({}, View{}); },
                     [&context, act = call.activation](std::span<const View> inputs, View result, View output) {
                       bias_act_forward(context, act, result, inputs[2], output);
                     }});
  }
  return plans_of(std::move(forms), y);
}

void decide(CudaContext& context, const Call& call, std::function<void(std::span<const View>, View)> ours,
            std::function<std::unique_ptr<VendorPlans>()> vendor) {
  context.choices().decide(context, {call.text(), call.inputs, call.output, std::move(ours), std::move(vendor)});
}

// Whether cuDNN has done it; `prepare` decides, where that has not been done yet.
template <class Prepare>
bool run_vendor(CudaContext& context, const Call& call, Prepare&& prepare) {
  if (context.choices().are_ours() || call.conv.groups > 1) {
    return false;
  }
  const std::string text = call.text();
  if (!context.choices().has(text)) {
    prepare();
  }
  const VendorPlan* const plan = context.choices().plan(text);
  if (plan == nullptr || !are_aligned(call.inputs, call.output)) {
    return false;
  }
  plan->run(context.stream(), call.inputs, call.output, context.scratch());
  return true;
}

}  // namespace

void prepare_conv2d_forward(CudaContext& context, const Conv2d& p, const Activation& activation, View x, View w,
                            View bias, View y) {
  if (context.choices().are_ours() || p.groups > 1) {
    return;  // their scratch is the context's own
  }
  const Call call{"conv2d_forward", p, activation, {x, w, bias}, y};
  decide(
      context, call,
      [&](std::span<const View> in, View out) {
        conv2d_forward_ours(context, p, activation, in[0], in[1], in[2], out);
      },
      [&] { return forward_plans(context, call); });
}

void prepare_conv2d_backward_input(CudaContext& context, const Conv2d& p, View dy, View w, View dx) {
  if (context.choices().are_ours() || p.groups > 1) {
    return;
  }
  decide(
      context, {"conv2d_backward_input", p, {}, {dy, w}, dx},
      [&](std::span<const View> in, View out) { conv2d_backward_input_ours(context, p, in[0], in[1], out); },
      [&] { return context.vendor().conv2d_backward_input_plans(p, context.allows_tf32(), dy, w, dx); });
}

void prepare_conv2d_backward_weight(CudaContext& context, const Conv2d& p, View x, View dy, View dw) {
  if (context.choices().are_ours() || p.groups > 1) {
    return;
  }
  decide(
      context, {"conv2d_backward_weight", p, {}, {x, dy}, dw},
      [&](std::span<const View> in, View out) { conv2d_backward_weight_ours(context, p, in[0], in[1], out); },
      [&] { return context.vendor().conv2d_backward_weight_plans(p, context.allows_tf32(), x, dy, dw); });
}

void conv2d_forward(CudaContext& context, const Conv2d& p, const Activation& activation, View x, View w, View bias,
                    View y) {
  if (!run_vendor(context, {"conv2d_forward", p, activation, {x, w, bias}, y},
                  [&] { prepare_conv2d_forward(context, p, activation, x, w, bias, y); })) {
    conv2d_forward_ours(context, p, activation, x, w, bias, y);
  }
}

void conv2d_backward_input(CudaContext& context, const Conv2d& p, View dy, View w, View dx) {
  if (!run_vendor(context, {"conv2d_backward_input", p, {}, {dy, w}, dx},
                  [&] { prepare_conv2d_backward_input(context, p, dy, w, dx); })) {
    conv2d_backward_input_ours(context, p, dy, w, dx);
  }
}

void conv2d_backward_weight(CudaContext& context, const Conv2d& p, View x, View dy, View dw) {
  if (!run_vendor(context, {"conv2d_backward_weight", p, {}, {x, dy}, dw},
                  [&] { prepare_conv2d_backward_weight(context, p, x, dy, dw); })) {
    conv2d_backward_weight_ours(context, p, x, dy, dw);
  }
}

}  // namespace duel

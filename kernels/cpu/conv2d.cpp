// Convolutions through oneDNN. Pictures stay in plain NHWC; only the weights are reordered into the layout that the
// primitive likes (a few KB to a few MB). Ours are pictures of up to three channels that a convolution makes
// (conv2d_few_channels.h), where oneDNN runs at a tenth of its speed, and 3x3 filters at stride 1 (conv2d_winograd.h).
#include "kernels/conv2d.h"

#include "kernels/cpu/conv2d_few_channels.h"
#include "kernels/cpu/conv2d_few_channels_forward.h"
#include "kernels/cpu/conv2d_halving.h"
#include "kernels/cpu/conv2d_winograd.h"
#include "kernels/cpu/onednn.h"

namespace duel {

namespace {

using Tag = dnnl::memory::format_tag;
using Dims = dnnl::memory::dims;

// oneDNN names extents in the order N C H W and O I H W whatever the layout.
Dims picture_dims(View v) {
  return {v.shape[0], v.shape[3], v.shape[1], v.shape[2]};
}
// In groups the filters have an extent more, in front: the group.
Dims filter_dims(View v, int groups) {
  Dims dims{v.shape[0] / groups, v.shape[3], v.shape[1], v.shape[2]};
  if (groups > 1) {
    dims.insert(dims.begin(), groups);
  }
  return dims;
}

dnnl::memory::desc pictures(View v) {
  return {picture_dims(v), onednn_type(v.dtype), Tag::nhwc};
}
dnnl::memory::desc filters(View v, int groups) {
  return {filter_dims(v, groups), onednn_type(v.dtype), groups > 1 ? Tag::gohwi : Tag::ohwi};
}
dnnl::memory::desc any_filters(View v, int groups) {
  return {filter_dims(v, groups), onednn_type(v.dtype), Tag::any};
}

struct Geometry {
  Dims strides, padding_begin, padding_end;
  explicit Geometry(const Conv2d& c)
      : strides{c.stride, c.stride}, padding_begin{c.pad_top, c.pad_left}, padding_end{c.pad_bottom, c.pad_right} {}
};

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc forward_description(const Geometry& g, const Activation& act,
                                                              const dnnl::memory::desc& x, const dnnl::memory::desc& w,
                                                              const dnnl::memory::desc& bias,
                                                              const dnnl::memory::desc& y) {
  const dnnl::primitive_attr attributes = onednn_attributes(act);
  const auto kind = dnnl::prop_kind::forward_training;
#ifdef DUEL_ONEDNN_3
  return {onednn_engine(), kind, kDirect, x, w, bias, y, g.strides, g.padding_begin, g.padding_end, attributes};
#else
  return {{kind, kDirect, x, w, bias, y, g.strides, g.padding_begin, g.padding_end}, attributes, onednn_engine()};
#endif
}

// The weights in the layout the primitive likes: the caller's own, or a reordered copy in the plan.
dnnl::memory liked_weights(OnednnPlan& plan, const dnnl::memory& given, const dnnl::memory::desc& liked) {
  if (given.get_desc() == liked) {
    return given;
  }
  const dnnl::memory copy = plan.own_array(liked);
  plan.add_reorder(given, copy);
  return copy;
}

void make_forward(OnednnPlan& plan, const Conv2d& conv, const Activation& act, View x, View w, View bias, View y) {
  const Geometry g(conv);
  const bool has_bias = bias.shape.rank() > 0;
  const dnnl::memory::desc bias_md =
      has_bias ? dnnl::memory::desc({w.shape[0]}, onednn_type(bias.dtype), Tag::a) : dnnl::memory::desc();
  const auto description = forward_description(g, act, pictures(x), any_filters(w, conv.groups), bias_md, pictures(y));
  const dnnl::memory x_memory = plan.caller_array(pictures(x)), w_memory = plan.caller_array(filters(w, conv.groups));
  const dnnl::memory y_memory = plan.caller_array(pictures(y));
  const dnnl::memory weights = liked_weights(plan, w_memory, description.weights_desc());
  const dnnl::convolution_forward primitive(description);
  if (has_bias) {
    plan.add(primitive,
             {{DNNL_ARG_SRC, x_memory},
              {DNNL_ARG_WEIGHTS, weights},
              {DNNL_ARG_DST, y_memory},
              {DNNL_ARG_BIAS, plan.caller_array(bias_md)}},
             description.scratchpad_desc());
  } else {
    plan.add(primitive, {{DNNL_ARG_SRC, x_memory}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, y_memory}},
             description.scratchpad_desc());
  }
}

void make_backward_input(OnednnPlan& plan, const Conv2d& conv, View dy, View w, View dx) {
  const Geometry g(conv);
  const View x{nullptr, dx.shape, dy.dtype};  // the pictures of the forward pass have the type of dy
  const auto hint = forward_description(g, {}, pictures(x), any_filters(w, conv.groups), {}, pictures(dy));
  const dnnl::primitive_attr attributes = onednn_attributes({});
#ifdef DUEL_ONEDNN_3
  const dnnl::convolution_backward_data::primitive_desc description(
      onednn_engine(), kDirect, pictures(dx), any_filters(w, conv.groups), pictures(dy), g.strides, g.padding_begin,
      g.padding_end, hint, attributes);
#else
  const dnnl::convolution_backward_data::primitive_desc description(
      {kDirect, pictures(dx), any_filters(w, conv.groups), pictures(dy), g.strides, g.padding_begin, g.padding_end},
      attributes, onednn_engine(), hint);
#endif
  const dnnl::memory dy_memory = plan.caller_array(pictures(dy)), w_memory = plan.caller_array(filters(w, conv.groups));
  const dnnl::memory dx_memory = plan.caller_array(pictures(dx));
  const dnnl::memory weights = liked_weights(plan, w_memory, description.weights_desc());
  plan.add(dnnl::convolution_backward_data(description),
           {{DNNL_ARG_DIFF_DST, dy_memory}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DIFF_SRC, dx_memory}},
           description.scratchpad_desc());
}

void make_backward_weight(OnednnPlan& plan, const Conv2d& conv, View x, View dy, View dw) {
  const Geometry g(conv);
  const View w{nullptr, dw.shape, x.dtype};  // the weights of the forward pass have the type of x
  const auto hint = forward_description(g, {}, pictures(x), any_filters(w, conv.groups), {}, pictures(dy));
  const dnnl::primitive_attr attributes = onednn_attributes({});
#ifdef DUEL_ONEDNN_3
  const dnnl::convolution_backward_weights::primitive_desc description(
      onednn_engine(), kDirect, pictures(x), any_filters(dw, conv.groups), pictures(dy), g.strides, g.padding_begin,
      g.padding_end, hint, attributes);
#else
  const dnnl::convolution_backward_weights::primitive_desc description(
      {kDirect, pictures(x), any_filters(dw, conv.groups), pictures(dy), g.strides, g.padding_begin, g.padding_end},
      attributes, onednn_engine(), hint);
#endif
  const dnnl::memory x_memory = plan.caller_array(pictures(x)), dy_memory = plan.caller_array(pictures(dy));
  const dnnl::memory dw_memory = plan.caller_array(filters(dw, conv.groups));
  const bool as_is = dw_memory.get_desc() == description.diff_weights_desc();
  const dnnl::memory result = as_is ? dw_memory : plan.own_array(description.diff_weights_desc());
  plan.add(dnnl::convolution_backward_weights(description),
           {{DNNL_ARG_SRC, x_memory}, {DNNL_ARG_DIFF_DST, dy_memory}, {DNNL_ARG_DIFF_WEIGHTS, result}},
           description.scratchpad_desc());
  if (!as_is) {
    plan.add_reorder(result, dw_memory);
  }
}

OnednnKey conv2d_key(int op, const Conv2d& c) {
  OnednnKey key(op);
  key.add(c.stride).add(c.pad_top).add(c.pad_bottom).add(c.pad_left).add(c.pad_right).add(c.groups);
  return key;
}

OnednnPlan& forward_plan(CpuContext& context, const Conv2d& conv, const Activation& act, View x, View w, View bias,
                         View y) {
  const OnednnKey key = conv2d_key(1, conv).add(x).add(w).add(bias).add(y).add(act);
  return context.onednn().plan(context, key, conv2d_cost(conv, x, w, y).flops,
                               [&](OnednnPlan& plan) { make_forward(plan, conv, act, x, w, bias, y); });
}

OnednnPlan& input_plan(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  const OnednnKey key = conv2d_key(2, conv).add(dy).add(w).add(dx);
  return context.onednn().plan(context, key, conv2d_cost(conv, dx, w, dy).flops,
                               [&](OnednnPlan& plan) { make_backward_input(plan, conv, dy, w, dx); });
}

OnednnPlan& weight_plan(CpuContext& context, const Conv2d& conv, View x, View dy, View dw) {
  const OnednnKey key = conv2d_key(3, conv).add(x).add(dy).add(dw);
  return context.onednn().plan(context, key, conv2d_cost(conv, x, dw, dy).flops,
                               [&](OnednnPlan& plan) { make_backward_weight(plan, conv, x, dy, dw); });
}

bool takes_winograd(const CpuContext& context, const Conv2d& conv, View x, View w, View y) {
  return !context.is_vendor_only() && suits_winograd(conv, x, w, y);
}

bool takes_winograd_weight(const CpuContext& context, const Conv2d& conv, View x, View dw, View dy) {
  return !context.is_vendor_only() && suits_winograd_weight(conv, x, dw, dy);
}

// The others take all channels together.
bool takes_ours(const CpuContext& context, const Conv2d& conv) {
  return !context.is_vendor_only() && conv.groups == 1;
}

bool takes_halving(const CpuContext& context, const Conv2d& conv, View x, View w, View y) {
  return takes_ours(context, conv) && suits_halving(conv, x, w, y);
}

bool takes_halving_weight(const CpuContext& context, const Conv2d& conv, View x, View dw, View dy) {
  return takes_ours(context, conv) && suits_halving_weight(conv, x, dw, dy);
}

bool takes_few_channels_forward(const CpuContext& context, const Conv2d& conv, const Activation& act, View x, View w,
                                View y) {
  return takes_ours(context, conv) && suits_few_channels_forward(act, x, w, y);
}

bool takes_few_channels(const CpuContext& context, const Conv2d& conv, View dx) {
  return takes_ours(context, conv) && has_few_channels(dx);
}

// The weight gradient of few filters: that of the turned filters with the two pictures in each other's place, which has
// many. It is made in the scratch memory behind the plan's own.
struct TurnedWeight {
  OnednnPlan& plan;
  View dw;  // [C,R,S,K]; element (c,r,s,k) is (k,R-1-r,S-1-s,c) of the gradient
  std::size_t offset;

  TurnedWeight(CpuContext& context, const Conv2d& conv, View x, View dy, View gradient)
      : plan(weight_plan(context, turned(conv, gradient.shape[1], gradient.shape[2]), dy, x, view(gradient))),
        dw(view(gradient)),
        offset((plan.scratch_bytes() + 63) / 64 * 64) {
    context.reserve_scratch(offset + dw.bytes());
    dw.data = static_cast<std::byte*>(context.scratch()) + offset;
  }

private:
  static View view(View w) { return {nullptr, {w.shape[3], w.shape[1], w.shape[2], w.shape[0]}, DType::f32}; }
};

void copy_turned(View from, View dw) {
  const int K = dw.shape[0], area = dw.shape[1] * dw.shape[2], C = dw.shape[3];
  const auto* const source = from.as<const float>();
  auto* const target = dw.as<float>();
  for (int k = 0; k < K; ++k) {
    for (int tap = 0; tap < area; ++tap) {
      for (int c = 0; c < C; ++c) {
        target[(k * area + tap) * C + c] = source[(c * area + area - 1 - tap) * K + k];
      }
    }
  }
}

bool takes_few_filters(const CpuContext& context, const Conv2d& conv, View w) {
  return takes_ours(context, conv) && has_few_filters(conv, w);
}

}  // namespace

void prepare_conv2d_forward(CpuContext& context, const Conv2d& conv, const Activation& act, View x, View w, View bias,
                            View y) {
  if (takes_winograd(context, conv, x, w, y)) {
    context.reserve_scratch(winograd_forward_scratch_bytes(context, conv, w));
  } else if (takes_halving(context, conv, x, w, y)) {
    context.reserve_scratch(halving_scratch_bytes(context, w));
  } else if (takes_few_channels_forward(context, conv, act, x, w, y)) {
    context.reserve_scratch(few_channels_forward_scratch_bytes(context, conv, x, w));
  } else if (takes_few_filters(context, conv, w)) {
    context.reserve_scratch(few_filters_scratch_bytes(context, conv, x, w, y));
  } else {
    forward_plan(context, conv, act, x, w, bias, y);
  }
}

void prepare_conv2d_backward_input(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  if (takes_few_channels(context, conv, dx)) {
    context.reserve_scratch(few_channels_scratch_bytes(context, dy, w, dx));
  } else if (takes_winograd(context, conv, dy, w, dx)) {
    context.reserve_scratch(winograd_forward_scratch_bytes(context, conv, w));
  } else if (takes_halving(context, conv, dx, w, dy)) {
    context.reserve_scratch(halving_scratch_bytes(context, w));
  } else {
    input_plan(context, conv, dy, w, dx);
  }
}

void prepare_conv2d_backward_weight(CpuContext& context, const Conv2d& conv, View x, View dy, View dw) {
  if (takes_winograd_weight(context, conv, x, dw, dy)) {
    context.reserve_scratch(winograd_backward_weight_scratch_bytes(context, conv, dw));
  } else if (takes_halving_weight(context, conv, x, dw, dy)) {
    context.reserve_scratch(halving_weight_scratch_bytes(context, dw));
  } else if (takes_few_filters(context, conv, dw)) {
    TurnedWeight(context, conv, x, dy, dw);
  } else {
    weight_plan(context, conv, x, dy, dw);
  }
}

void conv2d_forward(CpuContext& context, const Conv2d& conv, const Activation& act, View x, View w, View bias, View y) {
  if (takes_winograd(context, conv, x, w, y)) {
    conv2d_forward_winograd(context, conv, act, x, w, bias, y);
    return;
  }
  if (takes_halving(context, conv, x, w, y)) {
    conv2d_forward_halving(context, conv, act, x, w, bias, y);
    return;
  }
  if (takes_few_channels_forward(context, conv, act, x, w, y)) {
    conv2d_forward_few_channels(context, conv, act, x, w, bias, y);
    return;
  }
  if (takes_few_filters(context, conv, w)) {
    conv2d_forward_few_filters(context, conv, act, x, w, bias, y);
    return;
  }
  OnednnPlan& plan = forward_plan(context, conv, act, x, w, bias, y);
  if (bias.shape.rank() > 0) {
    plan.run(context, {x.data, w.data, y.data, bias.data});
  } else {
    plan.run(context, {x.data, w.data, y.data});
  }
  finish_activation(context, act, y);
}

void conv2d_backward_input(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  if (takes_few_channels(context, conv, dx)) {
    conv2d_backward_input_few_channels(context, conv, dy, w, dx);
  } else if (takes_winograd(context, conv, dy, w, dx)) {
    conv2d_backward_input_winograd(context, conv, dy, w, dx);
  } else if (takes_halving(context, conv, dx, w, dy)) {
    conv2d_backward_input_halving(context, conv, dy, w, dx);
  } else {
    input_plan(context, conv, dy, w, dx).run(context, {dy.data, w.data, dx.data});
  }
}

void conv2d_backward_weight(CpuContext& context, const Conv2d& conv, View x, View dy, View dw) {
  if (takes_winograd_weight(context, conv, x, dw, dy)) {
    conv2d_backward_weight_winograd(context, conv, x, dy, dw);
  } else if (takes_halving_weight(context, conv, x, dw, dy)) {
    conv2d_backward_weight_halving(context, conv, x, dy, dw);
  } else if (takes_few_filters(context, conv, dw)) {
    const TurnedWeight weight(context, conv, x, dy, dw);
    weight.plan.run(context, {dy.data, x.data, weight.dw.data});
    copy_turned(weight.dw, dw);
  } else {
    weight_plan(context, conv, x, dy, dw).run(context, {x.data, dy.data, dw.data});
  }
}

}  // namespace duel

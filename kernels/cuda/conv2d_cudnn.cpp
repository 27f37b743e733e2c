#include "kernels/cuda/conv2d_cudnn.h"

#include "kernels/cuda/cudnn_graph.h"

#include <fmt/format.h>

namespace duel {

namespace {

// Tensors by number.
enum : std::int64_t { kX = 1, kW, kY, kBias, kSum, kBiased };

cudnnDataType_t type_of(DType dtype) {
  return dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

// [N,H,W,C] and, of a filter, [K,R,S,C].
CudnnTensor tensor_of(std::int64_t id, View view) {
  const Shape& shape = view.shape;
  return {id, type_of(view.dtype), {shape[0], shape[3], shape[1], shape[2]}};
}

cudnnBackendDescriptor_t convolution(CudnnGraph& graph, const Conv2d& p) {
  const std::array<std::int64_t, 2> before{p.pad_top, p.pad_left}, after{p.pad_bottom, p.pad_right},
      strides{p.stride, p.stride}, dilations{1, 1};
  CudnnDescriptor& descriptor = graph.add(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2});
  descriptor.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION);
  descriptor.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, before.data());
  descriptor.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, after.data());
  descriptor.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides.data());
  descriptor.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilations.data());
  descriptor.finalize();
  return descriptor.get();
}

cudnnBackendDescriptor_t pointwise(CudnnGraph& graph, cudnnPointwiseMode_t mode, double slope = 0) {
  CudnnDescriptor& descriptor = graph.add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  descriptor.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode);
  descriptor.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
  if (slope != 0) {
    descriptor.set(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, slope);
  }
  descriptor.finalize();
  return descriptor.get();
}

cudnnPointwiseMode_t mode_of(ActivationKind kind) {
  return kind == ActivationKind::tanh      ? CUDNN_POINTWISE_TANH_FWD
         : kind == ActivationKind::sigmoid ? CUDNN_POINTWISE_SIGMOID_FWD
                                           : CUDNN_POINTWISE_RELU_FWD;  // with a slope, leaky
}

}  // namespace

std::unique_ptr<VendorPlans> cudnn_conv2d_forward_plans(const Cudnn& library, const Conv2d& p,
                                                        const Activation& activation, bool allow_tf32, View x, View w,
                                                        View bias, View y) {
  const auto graph = std::make_shared<CudnnGraph>(library, fmt::format("conv2d_forward of {} and {} to {}", x, w, y));
  const bool has_bias = bias.shape.rank() > 0, has_activation = activation.kind != ActivationKind::identity;
  const CudnnTensor result = tensor_of(kY, y);
  const auto between = [&](std::int64_t id) { return CudnnTensor{id, CUDNN_DATA_FLOAT, result.extents, true}; };
  const cudnnBackendDescriptor_t y_tensor = graph->tensor(result),
                                 sum = has_bias || has_activation ? graph->tensor(between(kSum)) : y_tensor,
                                 biased = !has_bias        ? sum
                                          : has_activation ? graph->tensor(between(kBiased))
                                                           : y_tensor;
  graph->operation(
      CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
      {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution(*graph, p)},
       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, graph->tensor(tensor_of(kX, x))},
       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, graph->tensor(tensor_of(kW, w))},
       {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, sum}},
      {{CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0F}, {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0F}});
  if (has_bias) {
    const CudnnTensor row{kBias, CUDNN_DATA_FLOAT, {1, bias.shape[0], 1, 1}};
    graph->operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
                     {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise(*graph, CUDNN_POINTWISE_ADD)},
                      {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, sum},
                      {CUDNN_ATTR_OPERATION_POINTWISE_BDESC, graph->tensor(row)},
                      {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, biased}},
                     {});
  }
  if (has_activation) {
    graph->operation(
        CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR,
        {{CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, pointwise(*graph, mode_of(activation.kind), activation.slope)},
         {CUDNN_ATTR_OPERATION_POINTWISE_XDESC, biased},
         {CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y_tensor}},
        {});
  }
  return graph->plans({kX, kW, has_bias ? std::int64_t{kBias} : -1}, kY, x.dtype == DType::f32, allow_tf32);
}

std::unique_ptr<VendorPlans> cudnn_conv2d_backward_input_plans(const Cudnn& library, const Conv2d& p, bool allow_tf32,
                                                               View dy, View w, View dx) {
  const auto graph =
      std::make_shared<CudnnGraph>(library, fmt::format("conv2d_backward_input of {} and {} to {}", dy, w, dx));
  graph->operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                   {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution(*graph, p)},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, graph->tensor(tensor_of(kY, dy))},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, graph->tensor(tensor_of(kW, w))},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, graph->tensor(tensor_of(kX, dx))}},
                   {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0F},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0F}});
  return graph->plans({kY, kW}, kX, dy.dtype == DType::f32, allow_tf32);
}

std::unique_ptr<VendorPlans> cudnn_conv2d_backward_weight_plans(const Cudnn& library, const Conv2d& p, bool allow_tf32,
                                                                View x, View dy, View dw) {
  const auto graph =
      std::make_shared<CudnnGraph>(library, fmt::format("conv2d_backward_weight of {} and {} to {}", x, dy, dw));
  graph->operation(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                   {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution(*graph, p)},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, graph->tensor(tensor_of(kX, x))},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, graph->tensor(tensor_of(kY, dy))},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, graph->tensor(tensor_of(kW, dw))}},
                   {{CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0F},
                    {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0F}});
  return graph->plans({kX, kY}, kW, x.dtype == DType::f32, allow_tf32);
}

}  // namespace duel

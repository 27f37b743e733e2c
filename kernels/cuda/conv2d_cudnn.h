// Convolutions by cuDNN's graph API (contract: kernels/conv2d.h), on arrays as they lie: N, H, W, C.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cuda/cudnn.h"
#include "kernels/cuda/vendor_plan.h"

namespace duel {

// The engines that cuDNN proposes, best first: those that give the same bytes each time, with f32 sums, and for f32
// arrays f32 products unless `allow_tf32`. Inputs of a plan: the views before the last, in their order. `library`
// outlives the plans.
//
// A bias and an activation are operations of the same graph, so that one kernel does all, or there is no plan.
std::unique_ptr<VendorPlans> cudnn_conv2d_forward_plans(const Cudnn& library, const Conv2d&, const Activation&,
                                                        bool allow_tf32, View x, View w, View bias, View y);
std::unique_ptr<VendorPlans> cudnn_conv2d_backward_input_plans(const Cudnn& library, const Conv2d&, bool allow_tf32,
                                                               View dy, View w, View dx);
std::unique_ptr<VendorPlans> cudnn_conv2d_backward_weight_plans(const Cudnn& library, const Conv2d&, bool allow_tf32,
                                                                View x, View dy, View dw);

}  // namespace duel

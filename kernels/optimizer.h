// The update of a whole parameter block in one call each. All arrays f32 of one length unless said otherwise.
//
//   adam         (Kingma & Ba, 2015, algorithm 1, with bias correction folded into the step size)
//                t = clock.updates_before(step) + 1;  g' = g * gradient_scale
//                m = beta1 m + (1 - beta1) g';  v = beta2 v + (1 - beta2) g'^2
//                w -= learning_rate * ((m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay * w)
//                compute = w rounded to bf16, where `compute` has a shape (bf16, the length of w)
//                weight_decay is decoupled (AdamW: Loshchilov & Hutter, 2019). A beta2 that changes is corrected by
//                its present value, as in PyTorch.
//                average = average_decay * average + (1 - average_decay) * w, where `average` has a shape: ema of the
//                new w, in the same pass, with the same result
//   ema          average = decay * average + (1 - decay) * w
//   global_norm  y[0] = sqrt(sum of g^2), summed in f64 over fixed blocks, then in order
//   clip_scale   y[0] = min(1, max_norm / norm[0])     1 where the norm is 0
//
// step is the device's counter, i64 [1], at which learning_rate, beta2 and decays are taken (schedule.h), and from
// which the clock tells how many updates were made before this one (update_clock.h). ema's may have no shape where the
// decay does not change. gradient_scale is f32 [1], or a View without a shape for 1. Arrays may not overlap.
#pragma once

#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/schedule.h"
#include "kernels/tensor.h"
#include "kernels/update_clock.h"

#include <string_view>

namespace duel {

struct Adam {
  Schedule learning_rate = 1e-4;
  double beta1 = 0.9;
  Schedule beta2 = 0.999;
  double epsilon = 1e-7;
  double weight_decay = 0;
  UpdateClock clock = {};
  Schedule average_decay = 0;  // of AdamState::average, where there is one
};

struct AdamState {
  View w, m, v;       // f32 [n]
  View compute = {};  // bf16 [n], or no shape
  View average = {};  // f32 [n], or no shape
};

void adam(Context&, const Adam&, View step, View gradient_scale, View gradient, const AdamState&);
void ema(Context&, const Schedule& decay, View step, View w, View average);
void global_norm(Context&, View gradient, View y);
void clip_scale(Context&, double max_norm, View norm, View y);

// Throws kind `usage`, beginning with `name`, where a schedule cannot be or leaves its range: learning rates from 0 on,
// beta2 in [0, 1), weight decay from 0 on.
void check_adam(std::string_view name, const Adam& adam);

Cost adam_cost(const AdamState& state);

}  // namespace duel

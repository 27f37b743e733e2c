// Pictures enlarged or made smaller by a whole factor through a filter of few taps, the same along both axes:
//
//   y[n,p,q,c] = sum_{t,u} taps[t] taps[u] x[n,h,w,c],  h = (p*down + t - pad) / up,  w = (q*down + u - pad) / up
//
// over the taps for which h and w are whole and inside x: zeros between x's pixels and around them, filtered, and one
// of so many kept (upfirdn2d of Karras et al., "Training generative adversarial networks with limited data", 2020).
//
// x [N,H,W,C]; y [N,P,Q,C] of any P and Q; both f32 or both bf16, sums f32. 1 to kMostTaps taps, up and down at least
// 1, 0 <= pad < taps. y may not overlap x. The same call gives the same bytes on any number of threads.
//
// The derivative is the same operator with up and down exchanged and the taps turned: adjoint() below. So the set is
// closed.
#pragma once

#include "kernels/context.h"
#include "kernels/cost.h"
#include "kernels/tensor.h"

#include <initializer_list>

namespace duel {

struct Resample2d {
  static constexpr int kMostTaps = 16;

  int up = 1, down = 1, pad = 0, count = 1;  // count: of taps
  float taps[kMostTaps] = {1};

  Resample2d() = default;
  Resample2d(int enlarge, int reduce, int padding, std::initializer_list<float> filter);
};

// By two, each pixel's weights adding up to 1 but at the edges, beyond which all is zero.
Resample2d nearest_up();     // each pixel four times
Resample2d area_down();      // the mean of four
Resample2d bilinear_up();    // [1,3,3,1] / 4
Resample2d bilinear_down();  // [1,3,3,1] / 8
Resample2d bicubic_down();   // Keys' cubic with a = -1/2 over twice its width, as PIL's

Resample2d adjoint(const Resample2d& p);

void prepare_resample2d(Context&, const Resample2d&, View x, View y);
void resample2d(Context&, const Resample2d&, View x, View y);

Cost resample2d_cost(const Resample2d&, View x, View y);

}  // namespace duel

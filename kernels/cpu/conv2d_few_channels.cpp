#include "kernels/cpu/conv2d_few_channels.h"

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <array>

namespace duel {

namespace {

constexpr int kLanes = 16;

struct Problem {
  Conv2d conv;
  int H, W, C, P, Q, K, R, S;
};

// Sum over k of dy[k] * w[k]: whole vectors into `lanes`, the rest into lane 0.
template <class T>
void accumulate(const T* dy, const float* w, int K, std::array<float, kLanes>& lanes) {
  int k = 0;
  for (; k + kLanes <= K; k += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      lanes[static_cast<std::size_t>(lane)] += to_float(dy[k + lane]) * w[k + lane];
    }
  }
  for (; k < K; ++k) {
    lanes[0] += to_float(dy[k]) * w[k];
  }
}

// One row of pixels: dx[h, 0..W-1, c] of one picture and channel.
template <class T, class U>
void gather_row(const Problem& p, const T* dy, const float* taps, int h, int c, U* dx) {
  const int stride = p.conv.stride;
  for (int w = 0; w < p.W; ++w) {
    std::array<float, kLanes> lanes{};
    for (int r = 0; r < p.R; ++r) {
      const int row = h + p.conv.pad_top - r;  // stride * p of the output row that tap r carries here
      if (row < 0 || row % stride != 0 || row / stride >= p.P) {
        continue;
      }
      for (int s = 0; s < p.S; ++s) {
        const int column = w + p.conv.pad_left - s;
        if (column < 0 || column % stride != 0 || column / stride >= p.Q) {
          continue;
        }
        const std::int64_t output = std::int64_t{row / stride} * p.Q + column / stride;
        accumulate(dy + output * p.K, taps + ((std::int64_t{r} * p.S + s) * p.C + c) * p.K, p.K, lanes);
      }
    }
    float sum = 0;
    for (const float lane : lanes) {
      sum += lane;
    }
    dx[std::int64_t{w} * p.C + c] = from_float<U>(sum);
  }
}

}  // namespace

void conv2d_backward_input_few_channels(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  const Problem p{conv,        dx.shape[1], dx.shape[2], dx.shape[3], dy.shape[1],
                  dy.shape[2], dy.shape[3], w.shape[1],  w.shape[2]};
  context.reserve_scratch(few_channels_scratch_bytes(w));
  auto* taps = static_cast<float*>(context.scratch());  // [R,S,C,K]
  const std::int64_t taps_per_filter = w.shape.row_count();
  with_float_type(w.dtype, [&](auto element) {
    using T = decltype(element);
    for (std::int64_t k = 0; k < p.K; ++k) {
      for (std::int64_t tap = 0; tap < taps_per_filter; ++tap) {
        taps[tap * p.K + k] = to_float(w.as<T>()[k * taps_per_filter + tap]);
      }
    }
  });
  with_float_type(dy.dtype, [&](auto element) {
    using T = decltype(element);
    with_float_type(dx.dtype, [&](auto result) {
      using U = decltype(result);
      parallel_ranges(context, std::int64_t{dx.shape[0]} * p.H, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          const std::int64_t picture = row / p.H;
          for (int c = 0; c < p.C; ++c) {
            gather_row(p, dy.as<T>() + picture * p.P * p.Q * p.K, taps, static_cast<int>(row % p.H), c,
                       dx.as<U>() + row * p.W * p.C);
          }
        }
      });
    });
  });
}

}  // namespace duel

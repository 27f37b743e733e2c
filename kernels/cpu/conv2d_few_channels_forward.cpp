#include "kernels/cpu/conv2d_few_channels_forward.h"

#include "kernels/cpu/parallel.h"
#include "kernels/cpu/vector.h"

#include <algorithm>
#include <cstring>

namespace duel {

using namespace simd;

namespace {

constexpr int kMostChannels = 3;
constexpr int kMostFilters = 8;  // of 32, oneDNN's is quicker: 0.54 ms where this took 0.84
constexpr int kMostTaps = 7 * 7 * kMostChannels;
constexpr int kBlockPixels = kLanes == 16 ? 14 : 7;  // whose sums are in registers; a row of 28 is two blocks

// One number a filter; and that anywhere in an array (vector.h says why so).
using Filters = float __attribute__((vector_size(kMostFilters * sizeof(float))));
typedef float FiltersInArray __attribute__((vector_size(kMostFilters * sizeof(float)), aligned(4), may_alias));

struct Problem {
  Conv2d conv;
  int H, W, C, P, Q, K, R, S;

  Problem(const Conv2d& conv2d, View x, View w, View y)
      : conv(conv2d),
        H(x.shape[1]),
        W(x.shape[2]),
        C(x.shape[3]),
        P(y.shape[1]),
        Q(y.shape[2]),
        K(y.shape[3]),
        R(w.shape[1]),
        S(w.shape[2]) {}

  int taps() const { return R * S * C; }
  std::int64_t row_floats() const { return std::int64_t{conv.pad_left + W + conv.pad_right} * C; }
};

// w [K, taps] as [taps, kMostFilters], and behind it the bias [kMostFilters]; zeros in the lanes past K.
void copy_weights(const Problem& p, const float* w, const float* bias, float* to) {
  const int taps = p.taps();
  std::fill_n(to, (taps + 1) * kMostFilters, 0.0F);
  for (int k = 0; k < p.K; ++k) {
    for (int tap = 0; tap < taps; ++tap) {
      to[tap * kMostFilters + k] = w[k * taps + tap];
    }
    to[taps * kMostFilters + k] = bias == nullptr ? 0.0F : bias[k];
  }
}

// Row `h` of a picture x [H, W, C] with its padding; of zeros where there is none.
void copy_row(const Problem& p, const float* x, int h, float* to) {
  if (h < 0 || h >= p.H) {
    std::fill_n(to, p.row_floats(), 0.0F);
    return;
  }
  const std::int64_t floats = std::int64_t{p.W} * p.C;
  float* const after = std::copy_n(x + h * floats, floats, std::fill_n(to, p.conv.pad_left * p.C, 0.0F));
  std::fill_n(after, p.conv.pad_right * p.C, 0.0F);
}

Filters load_filters(const float* from) {
  return *reinterpret_cast<const FiltersInArray*>(from);
}

void store_filters(float* to, const Filters& v, int count) {
  if (count == kMostFilters) {
    std::memcpy(to, &v, sizeof v);
  } else if (count == kMostFilters / 2) {
    std::memcpy(to, &v, sizeof v / 2);
  } else {
    std::memcpy(to, &v, count * sizeof(float));
  }
}

// Calls call(forward), forward(x) = act(x) of a vector, for the activations that suit; as with_activation() has them.
template <class Call>
void with_vector_activation(const Activation& act, const Call& call) {
  if (act.kind == ActivationKind::relu) {
    call([](Filters x) { return x < Filters{} ? Filters{} : x; });
  } else if (act.kind == ActivationKind::leaky_relu) {
    call([slope = act.slope](Filters x) { return x < Filters{} ? slope * x : x; });
  } else {
    call([](Filters x) { return x; });
  }
}

// y of Count pixels, `step` floats apart in `x`.
template <int Count, class Forward>
[[gnu::noinline]] void make_pixels(const float* x, std::int64_t step, const int* offsets, int taps, const float* w,
                                   Forward forward, float* y, int filters) {
  Filters sums[Count];
  unrolled<Count>([&](auto i) { sums[i] = Filters{}; });
  for (int tap = 0; tap < taps; ++tap) {
    const Filters row = load_filters(w + tap * kMostFilters);
    const float* const from = x + offsets[tap];
    unrolled<Count>([&](auto i) { sums[i] += from[i * step] * row; });
  }
  const Filters bias = load_filters(w + taps * kMostFilters);
  unrolled<Count>([&](auto i) { store_filters(y + i * filters, forward(sums[i] + bias), filters); });
}

}  // namespace

bool suits_few_channels_forward(const Activation& act, View x, View w, View y) {
  const bool is_plain = act.kind == ActivationKind::identity || act.kind == ActivationKind::relu ||
                        act.kind == ActivationKind::leaky_relu;
  return is_plain && x.dtype == DType::f32 && w.dtype == DType::f32 && y.dtype == DType::f32 &&
         x.shape[3] <= kMostChannels && w.shape[0] <= kMostFilters && w.shape[1] * w.shape[2] * w.shape[3] <= kMostTaps;
}

std::size_t few_channels_forward_scratch_bytes(const CpuContext& context, const Conv2d& conv, View x, View w) {
  View y{nullptr, {x.shape[0], 1, 1, w.shape[0]}, DType::f32};
  const Problem p(conv, x, w, y);
  return static_cast<std::size_t>((p.taps() + 1) * kMostFilters + context.threads() * p.R * p.row_floats()) *
         sizeof(float);
}

void conv2d_forward_few_channels(CpuContext& context, const Conv2d& conv, const Activation& act, View x, View w,
                                 View bias, View y) {
  const Problem p(conv, x, w, y);
  context.reserve_scratch(few_channels_forward_scratch_bytes(context, conv, x, w));
  auto* const weights = static_cast<float*>(context.scratch());
  copy_weights(p, w.as<const float>(), bias.shape.rank() > 0 ? bias.as<const float>() : nullptr, weights);
  float* const rows_of_all = weights + (p.taps() + 1) * kMostFilters;
  int offsets[kMostTaps];
  for (int tap = 0; tap < p.taps(); ++tap) {
    offsets[tap] = static_cast<int>(tap / (p.S * p.C) * p.row_floats() + tap % (p.S * p.C));
  }
  with_vector_activation(act, [&](auto forward) {
    parallel_ranges(
        context, std::int64_t{x.shape[0]} * p.P, 1, [&, forward](std::int64_t begin, std::int64_t end, int member) {
          float* const rows = rows_of_all + member * p.R * p.row_floats();
          const std::int64_t step = std::int64_t{conv.stride} * p.C;
          for (std::int64_t i = begin; i < end; ++i) {
            const int top = static_cast<int>(i % p.P) * conv.stride - conv.pad_top;
            for (int r = 0; r < p.R; ++r) {
              copy_row(p, x.as<const float>() + i / p.P * p.H * p.W * p.C, top + r, rows + r * p.row_floats());
            }
            float* const to = y.as<float>() + i * p.Q * p.K;
            int q = 0;
            for (; q + kBlockPixels <= p.Q; q += kBlockPixels) {
              make_pixels<kBlockPixels>(rows + q * step, step, offsets, p.taps(), weights, forward, to + q * p.K, p.K);
            }
            for (; q < p.Q; ++q) {
              make_pixels<1>(rows + q * step, step, offsets, p.taps(), weights, forward, to + q * p.K, p.K);
            }
          }
        });
  });
}

}  // namespace duel

#include "kernels/cpu/conv2d_few_channels.h"

#include "kernels/cpu/activation.h"
#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/register_block.h"

#include <type_traits>

namespace duel {

using namespace simd;

namespace {

struct Problem {
  Conv2d conv;
  int H, W, C, P, Q, K, R, S;
  int lanes;  // R*S*C in whole vectors

  // Of an input gradient; of a forward pass `dy` is x and `dx` is y.
  Problem(const Conv2d& conv2d, View dy, View w, View dx)
      : conv(conv2d),
        H(dx.shape[1]),
        W(dx.shape[2]),
        C(dx.shape[3]),
        P(dy.shape[1]),
        Q(dy.shape[2]),
        K(dy.shape[3]),
        R(w.shape[1]),
        S(w.shape[2]),
        lanes((R * S * C + kLanes - 1) / kLanes * kLanes) {}

  std::int64_t taps_floats() const { return std::int64_t{K} * lanes; }
  std::int64_t row_floats() const { return std::int64_t{Q} * K; }
  std::int64_t given_floats() const { return std::int64_t{Q} * lanes; }
  std::int64_t picture_floats() const { return (std::int64_t{H} * W * C + kLanes - 1) / kLanes * kLanes; }
  std::int64_t thread_floats() const { return row_floats() + given_floats() + picture_floats(); }
};

constexpr int kBlockPixels = kLanes == 16 ? 8 : 4;
constexpr int kBlockVectors = kLanes == 16 ? 3 : 2;

struct Nothing {
  void operator()() const {}
};

template <int Count>
void multiply_pixels(const Problem& p, const float* row, const float* taps, float* given) {
  Nothing nothing;
  int lane = 0;
  for (; lane + kBlockVectors * kLanes <= p.lanes; lane += kBlockVectors * kLanes) {
    multiply_block<Count, kBlockVectors, Into::overwrite>({row, p.K, 1}, taps + lane, p.lanes, p.K, given + lane,
                                                          p.lanes, nothing);
  }
  for (; lane < p.lanes; lane += kLanes) {
    multiply_block<Count, 1, Into::overwrite>({row, p.K, 1}, taps + lane, p.lanes, p.K, given + lane, p.lanes, nothing);
  }
}

// given[q, (r,s,c)] = sum over k of row[q,k] * taps[k, (r,s,c)]
void multiply_row(const Problem& p, const float* row, const float* taps, float* given) {
  int q = 0;
  for (; q + kBlockPixels <= p.Q; q += kBlockPixels) {
    multiply_pixels<kBlockPixels>(p, row + std::int64_t{q} * p.K, taps, given + std::int64_t{q} * p.lanes);
  }
  for (; q < p.Q; ++q) {
    multiply_pixels<1>(p, row + std::int64_t{q} * p.K, taps, given + std::int64_t{q} * p.lanes);
  }
}

// Adds what row `row` of dy gives to the picture [H,W,C].
void add_given(const Problem& p, int row, const float* given, float* picture) {
  const int stride = p.conv.stride;
  for (int r = 0; r < p.R; ++r) {
    const int h = row * stride + r - p.conv.pad_top;
    if (h < 0 || h >= p.H) {
      continue;
    }
    for (int s = 0; s < p.S; ++s) {
      const int left = s - p.conv.pad_left;  // where q = 0 arrives
      const int first = left < 0 ? (-left + stride - 1) / stride : 0;
      const int end = std::min(p.Q, p.W > left ? (p.W - 1 - left) / stride + 1 : 0);
      for (int c = 0; c < p.C; ++c) {
        const float* from = given + (r * p.S + s) * p.C + c;
        float* to = picture + (std::int64_t{h} * p.W + left) * p.C + c;
        for (std::int64_t q = first; q < end; ++q) {
          to[q * stride * p.C] += from[q * p.lanes];
        }
      }
    }
  }
}

// taps[k, (r,s,c)] in f32 from w[k,r,s,c]
template <class T>
void copy_taps(const Problem& p, const T* w, float* taps) {
  const int count = p.R * p.S * p.C;
  std::fill_n(taps, p.taps_floats(), 0.0F);
  for (int k = 0; k < p.K; ++k) {
    for (int tap = 0; tap < count; ++tap) {
      taps[std::int64_t{k} * p.lanes + tap] = to_float(w[std::int64_t{k} * count + tap]);
    }
  }
}

// taps[c, (r,s,k)] in f32 from w[k,R-1-r,S-1-s,c]; here p.K is the filters' c, and p.C their k.
template <class T>
void copy_turned_taps(const Problem& p, const T* w, float* taps) {
  const int area = p.R * p.S;
  std::fill_n(taps, p.taps_floats(), 0.0F);
  for (int k = 0; k < p.C; ++k) {
    for (int tap = 0; tap < area; ++tap) {
      const T* const from = w + (std::int64_t{k} * area + area - 1 - tap) * p.K;
      for (int c = 0; c < p.K; ++c) {
        taps[std::int64_t{c} * p.lanes + tap * p.C + k] = to_float(from[c]);
      }
    }
  }
}

std::size_t scratch_bytes(const CpuContext& context, const Problem& p) {
  return static_cast<std::size_t>(p.taps_floats() + context.threads() * p.thread_floats()) * sizeof(float);
}

// What all rows of dy give, picture by picture; finish(value, channel) is what is stored.
template <class Finish>
void spread_pictures(CpuContext& context, const Problem& p, View dy, float* taps, View dx, const Finish& finish) {
  const std::int64_t pixels = std::int64_t{p.H} * p.W * p.C;
  with_float_type(dy.dtype, [&](auto gradient) {
    using T = decltype(gradient);
    with_float_type(dx.dtype, [&](auto result) {
      using U = decltype(result);
      parallel_ranges(context, dx.shape[0], 1, [&](std::int64_t begin, std::int64_t end, int member) {
        float* const row = taps + p.taps_floats() + member * p.thread_floats();
        float* const given = row + p.row_floats();
        float* const picture = given + p.given_floats();
        for (std::int64_t n = begin; n < end; ++n) {
          std::fill_n(picture, pixels, 0.0F);
          for (int i = 0; i < p.P; ++i) {
            const T* from = dy.as<T>() + (n * p.P + i) * p.row_floats();
            if constexpr (std::is_same_v<T, float>) {
              multiply_row(p, from, taps, given);
            } else {
              for (std::int64_t j = 0; j < p.row_floats(); ++j) {
                row[j] = to_float(from[j]);
              }
              multiply_row(p, row, taps, given);
            }
            add_given(p, i, given, picture);
          }
          for (std::int64_t j = 0; j < pixels; j += p.C) {
            for (int c = 0; c < p.C; ++c) {
              dx.as<U>()[n * pixels + j + c] = from_float<U>(finish(picture[j + c], c));
            }
          }
        }
      });
    });
  });
}

}  // namespace

std::size_t few_channels_scratch_bytes(const CpuContext& context, View dy, View w, View dx) {
  return scratch_bytes(context, Problem({}, dy, w, dx));
}

void conv2d_backward_input_few_channels(CpuContext& context, const Conv2d& conv, View dy, View w, View dx) {
  const Problem p(conv, dy, w, dx);
  context.reserve_scratch(scratch_bytes(context, p));
  auto* const taps = static_cast<float*>(context.scratch());
  with_float_type(w.dtype, [&](auto element) { copy_taps(p, w.as<decltype(element)>(), taps); });
  spread_pictures(context, p, dy, taps, dx, [](float value, int) { return value; });
}

std::size_t few_filters_scratch_bytes(const CpuContext& context, const Conv2d& conv, View x, View w, View y) {
  return scratch_bytes(context, Problem(turned(conv, w.shape[1], w.shape[2]), x, w, y));
}

void conv2d_forward_few_filters(CpuContext& context, const Conv2d& conv, const Activation& activation, View x, View w,
                                View bias, View y) {
  const Problem p(turned(conv, w.shape[1], w.shape[2]), x, w, y);
  context.reserve_scratch(scratch_bytes(context, p));
  auto* const taps = static_cast<float*>(context.scratch());
  with_float_type(w.dtype, [&](auto element) { copy_turned_taps(p, w.as<decltype(element)>(), taps); });
  float added[kFewChannels] = {};
  if (bias.shape.rank() > 0) {
    std::copy_n(bias.as<const float>(), p.C, added);
  }
  with_activation(activation, [&](auto act, auto) {
    spread_pictures(context, p, x, taps, y, [&](float value, int k) { return act(value + added[k]); });
  });
}

}  // namespace duel

#include "kernels/elementwise.h"

#include "kernels/cpu/pointwise.h"

#include <cmath>

namespace duel {

void add(CpuContext& context, View a, View b, View y) {
  with_float_type(a.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, a.as<T>(), b.as<T>(), y.as<T>(), a.count(), [](float p, float q) { return p + q; });
  });
}

void multiply(CpuContext& context, View a, View b, View y) {
  with_float_type(a.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, a.as<T>(), b.as<T>(), y.as<T>(), a.count(), [](float p, float q) { return p * q; });
  });
}

void affine(CpuContext& context, const Affine& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, x.as<T>(), y.as<T>(), x.count(), [p](float value) { return p.scale * value + p.shift; });
  });
}

void unary(CpuContext& context, UnaryKind kind, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const auto apply = [&](auto f) { map(context, x.as<T>(), y.as<T>(), x.count(), f); };
    switch (kind) {
      case UnaryKind::softplus:
        apply([](float v) { return (v < 0.0F ? 0.0F : v) + std::log1p(std::exp(-std::fabs(v))); });
        return;
      case UnaryKind::sigmoid: apply([](float v) { return 1.0F / (1.0F + std::exp(-v)); }); return;
      case UnaryKind::square_root: apply([](float v) { return std::sqrt(v); }); return;
      case UnaryKind::reciprocal: apply([](float v) { return 1.0F / v; }); return;
      case UnaryKind::positive: apply([](float v) { return v > 0.0F ? 1.0F : 0.0F; }); return;
      case UnaryKind::exp: apply([](float v) { return std::exp(v); }); return;
      case UnaryKind::log: apply([](float v) { return std::log(v); }); return;
      case UnaryKind::abs: apply([](float v) { return std::fabs(v); }); return;
      case UnaryKind::sign: apply([](float v) { return v > 0.0F ? 1.0F : v < 0.0F ? -1.0F : v; }); return;
      case UnaryKind::sin: apply([](float v) { return std::sin(v); }); return;
      case UnaryKind::cos: apply([](float v) { return std::cos(v); }); return;
      case UnaryKind::rsqrt: apply([](float v) { return 1.0F / std::sqrt(v); }); return;
    }
  });
}

void clamp(CpuContext& context, const Clamp& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, x.as<T>(), y.as<T>(), x.count(), [p](float value) {
      return value < p.low ? p.low : value > p.high ? p.high : value;
    });  // a NaN passes
  });
}

void fill(CpuContext& context, float value, View y) {
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    T* to = y.as<T>();
    parallel_ranges(context, y.count(), kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
      std::fill(to + begin, to + end, from_float<T>(value));
    });
  });
}

void cast(CpuContext& context, View x, View y) {
  with_float_type(x.dtype, [&](auto from) {
    using T = decltype(from);
    with_float_type(y.dtype, [&](auto to) {
      using U = decltype(to);
      const T* source = x.as<T>();
      U* target = y.as<U>();
      parallel_ranges(context, x.count(), kPointwiseGrain, [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
        for (std::int64_t i = begin; i < end; ++i) {
          target[i] = from_float<U>(to_float(source[i]));
        }
      });
    });
  });
}

}  // namespace duel

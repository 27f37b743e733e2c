// Pointwise arithmetic (contract: kernels/elementwise.h), as maps: pointwise.cuh says who computes what.
#include "kernels/elementwise.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- device helpers

namespace {

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};

struct Multiply {
  __device__ float operator()(float a, float b) const { return a * b; }
};

struct ScaleAndShift {
  float scale, shift;
  __device__ float operator()(float x) const { return scale * x + shift; }
};

struct Softplus {
  __device__ float operator()(float x) const {
    return (x < 0.0F ? 0.0F : x) + log1pf(expf(-fabsf(x)));  // not fmaxf, which would hide a NaN
  }
};

struct Sigmoid {
  __device__ float operator()(float x) const { return 1.0F / (1.0F + expf(-x)); }
};

struct SquareRoot {
  __device__ float operator()(float x) const { return sqrtf(x); }
};

struct Reciprocal {
  __device__ float operator()(float x) const { return 1.0F / x; }
};

struct Positive {
  __device__ float operator()(float x) const { return x > 0.0F ? 1.0F : 0.0F; }
};

struct Exp {
  __device__ float operator()(float x) const { return expf(x); }
};

struct Log {
  __device__ float operator()(float x) const { return logf(x); }
};

struct Absolute {
  __device__ float operator()(float x) const { return fabsf(x); }
};

struct Sign {
  __device__ float operator()(float x) const { return x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x; }
};

struct Sine {
  __device__ float operator()(float x) const { return sinf(x); }
};

struct Cosine {
  __device__ float operator()(float x) const { return cosf(x); }
};

struct ReciprocalRoot {
  __device__ float operator()(float x) const { return 1.0F / sqrtf(x); }  // not rsqrtf, which errs by two units
};

struct Between {
  float low, high;
  __device__ float operator()(float x) const { return x < low ? low : x > high ? high : x; }  // a NaN passes
};

struct Constant {
  float value;
  __device__ float operator()() const { return value; }
};

}  // namespace

// ---- kernels

// One element a thread: the two sides have vectors of different widths, and the product spends little time here.
template <class From, class To>
__global__ void __launch_bounds__(kMapThreads) cast_kernel(const From* x,  // [count]
                                                           To* y,          // [count]
                                                           std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    y[i] = from_float<To>(to_float(x[i]));
  }
}

// ---- launchers

void add(CudaContext& context, View a, View b, View y) {
  with_float_type(a.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, "add", Add{}, y.as<T>(), y.count(), a.as<const T>(), b.as<const T>());
  });
}

void multiply(CudaContext& context, View a, View b, View y) {
  with_float_type(a.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, "multiply", Multiply{}, y.as<T>(), y.count(), a.as<const T>(), b.as<const T>());
  });
}

void affine(CudaContext& context, const Affine& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, "affine", ScaleAndShift{p.scale, p.shift}, y.as<T>(), y.count(), x.as<const T>());
  });
}

void unary(CudaContext& context, UnaryKind kind, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    const auto apply = [&](auto f) { map(context, "unary", f, y.as<T>(), y.count(), x.as<const T>()); };
    switch (kind) {
      case UnaryKind::softplus: apply(Softplus{}); return;
      case UnaryKind::sigmoid: apply(Sigmoid{}); return;
      case UnaryKind::square_root: apply(SquareRoot{}); return;
      case UnaryKind::reciprocal: apply(Reciprocal{}); return;
      case UnaryKind::positive: apply(Positive{}); return;
      case UnaryKind::exp: apply(Exp{}); return;
      case UnaryKind::log: apply(Log{}); return;
      case UnaryKind::abs: apply(Absolute{}); return;
      case UnaryKind::sign: apply(Sign{}); return;
      case UnaryKind::sin: apply(Sine{}); return;
      case UnaryKind::cos: apply(Cosine{}); return;
      case UnaryKind::rsqrt: apply(ReciprocalRoot{}); return;
    }
  });
}

void clamp(CudaContext& context, const Clamp& p, View x, View y) {
  with_float_type(x.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, "clamp", Between{p.low, p.high}, y.as<T>(), y.count(), x.as<const T>());
  });
}

void fill(CudaContext& context, float value, View y) {
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    map(context, "fill", Constant{value}, y.as<T>(), y.count());
  });
}

void cast(CudaContext& context, View x, View y) {
  with_float_type(x.dtype, [&](auto from) {
    with_float_type(y.dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      launch(context, "cast", {blocks_for(x.count(), kMapThreads), kMapThreads}, cast_kernel<From, To>,
             x.as<const From>(), y.as<To>(), x.count());
    });
  });
}

}  // namespace duel

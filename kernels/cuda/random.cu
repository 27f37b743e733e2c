// Arrays of Philox numbers (contract: kernels/random.h). One thread makes the four numbers of one Philox block at a
// time and writes them as 16 bytes. The generator is philox.h's own, so the integers are the CPU's; nothing is read but
// the step. Bound by arithmetic: ten rounds, and for normal numbers two logarithms and roots, for 16 bytes.
#include "kernels/random.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- device helpers

namespace {

// cos and sin of 2 pi v, for v in [0,1]. The quarter turn is taken off exactly, so what is left lies within pi/4 of 0,
// where a short polynomial (Cephes, sinf and cosf) is as good as f32 itself; the library's own reduction, made for any
// argument, would take a stack.
__device__ __forceinline__ void turn(float v, float& cosine, float& sine) {
  const float quarters = rintf(4.0F * v);
  const float x = (4.0F * v - quarters) * 1.57079632679489662F;
  const float x2 = x * x;
  const float c =
      1.0F - 0.5F * x2 + x2 * x2 * (4.166664568298827e-2F + x2 * (-1.388731625493765e-3F + x2 * 2.443315711809948e-5F));
  const float s = x + x * x2 * (-1.6666654611e-1F + x2 * (8.3321608736e-3F + x2 * -1.9515295891e-4F));
  const int quarter = static_cast<int>(quarters);
  const bool is_odd = quarter % 2 == 1;
  cosine = is_odd ? s : c;
  sine = is_odd ? c : s;
  cosine = quarter == 1 || quarter == 2 ? -cosine : cosine;
  sine = quarter == 2 || quarter == 3 ? -sine : sine;
}

struct Normal {
  __device__ __forceinline__ Vector<float> operator()(const PhiloxBlock& bits) const {
    Vector<float> y;
#pragma unroll
    for (int pair = 0; pair < 4; pair += 2) {
      const float radius = sqrtf(-2.0F * logf(unit_float(bits[pair])));
      float cosine = 0, sine = 0;
      turn(unit_float(bits[pair + 1]), cosine, sine);
      y.values[pair] = radius * cosine;
      y.values[pair + 1] = radius * sine;
    }
    return y;
  }
};

struct Uniform {
  __device__ __forceinline__ Vector<float> operator()(const PhiloxBlock& bits) const {
    return {{unit_float(bits[0]), unit_float(bits[1]), unit_float(bits[2]), unit_float(bits[3])}};
  }
};

}  // namespace

// ---- kernels

template <class Distribution, class T>
__global__ void __launch_bounds__(kMapThreads)
    random_kernel(Distribution distribution, Random p, const std::int64_t* step,  // [1]
                  T* y,                                                           // [count]
                  std::int64_t count,
                  bool is_aligned) {  // y, to four elements
  const auto now = static_cast<std::uint64_t>(step[0]);
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads, blocks = (count + 3) / 4;
  for (std::int64_t block = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; block < blocks; block += stride) {
    const Vector<float> numbers = distribution(philox(p.seed, p.purpose, now, static_cast<std::uint32_t>(block)));
    Vector<T, 4> rounded;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      rounded.values[i] = from_float<T>(numbers.values[i]);
    }
    T* to = y + 4 * block;
    if (is_aligned && 4 * block + 4 <= count) {
      store_vector(to, rounded);
      continue;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (4 * block + i < count) {
        to[i] = rounded.values[i];
      }
    }
  }
}

// ---- launchers

namespace {

template <class Distribution>
void random(CudaContext& context, const char* op, Distribution distribution, const Random& p, View step, View y) {
  const std::int64_t blocks = (y.count() + 3) / 4;
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    launch(context, op, {blocks_for(blocks, kMapThreads, 1, kMapBlocks), kMapThreads}, random_kernel<Distribution, T>,
           distribution, p, step.as<const std::int64_t>(), y.as<T>(), y.count(), all_aligned(y.data));
  });
}

}  // namespace

void random_normal(CudaContext& context, const Random& p, View step, View y) {
  random(context, "random_normal", Normal{}, p, step, y);
}

void random_uniform(CudaContext& context, const Random& p, View step, View y) {
  random(context, "random_uniform", Uniform{}, p, step, y);
}

}  // namespace duel

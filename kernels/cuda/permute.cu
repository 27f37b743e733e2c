// Axes in another order (contract: kernels/permute.h). One thread writes one unit of y at a time, neighbours beside
// each other: 16 bytes where what lies together in x and y, and the pointers, allow it, else 4 or 2. Where the last
// axis was another one, each element is read by itself. Bytes moved: the array's twice.
#include "kernels/permute_walk.h"

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/divider.cuh"

namespace duel {

// ---- device helpers

namespace {

constexpr int kThreads = 256;
#ifdef DUEL_EMULATED
constexpr std::int64_t kMostBlocks = 3;  // so that small arrays loop too
#else
constexpr std::int64_t kMostBlocks = 2048;
#endif

// PermuteWalk in units.
struct Places {
  Divider by_1, by_2, by_3;                     // y's extents but the first
  std::int64_t step_0, step_1, step_2, step_3;  // in x

  __device__ __forceinline__ std::int64_t in_x(int i) const {
    const int above_3 = by_3.quotient(i), above_2 = by_2.quotient(above_3), first = by_1.quotient(above_2);
    return first * step_0 + by_1.remainder(above_2, first) * step_1 + by_2.remainder(above_3, above_2) * step_2 +
           by_3.remainder(i, above_3) * step_3;
  }
};

}  // namespace

// ---- kernels

template <class Unit>
__global__ void __launch_bounds__(kThreads) permute_kernel(const Unit* x,  // [count]
                                                           Unit* y,        // [count]
                                                           Places places, int count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += stride) {
    y[i] = x[places.in_x(static_cast<int>(i))];
  }
}

// ---- launchers

void permute(CudaContext& context, const Permute& p, View x, View y) {
  const PermuteWalk walk = walk_of(p, x.shape);
  const std::size_t element = size_of(x.dtype);
  const auto run = [&](auto unit) {
    using Unit = decltype(unit);
    const int per_unit = static_cast<int>(sizeof(Unit) / element);  // more than one only along a contiguous last axis
    const int count = static_cast<int>(x.count() / per_unit);
    const Places places{Divider(walk.extents[1]),        Divider(walk.extents[2]), Divider(walk.extents[3] / per_unit),
                        walk.steps[0] / per_unit,        walk.steps[1] / per_unit, walk.steps[2] / per_unit,
                        per_unit > 1 ? 1 : walk.steps[3]};
    launch(context, "permute", {blocks_for(count, kThreads, 1, kMostBlocks), kThreads}, permute_kernel<Unit>,
           x.as<const Unit>(), y.as<Unit>(), places, count);
  };
  const auto lengths = static_cast<std::uintptr_t>(walk.extents[3] | walk.steps[0] | walk.steps[1] | walk.steps[2]);
  const std::uintptr_t all =
      lengths * element | reinterpret_cast<std::uintptr_t>(x.data) | reinterpret_cast<std::uintptr_t>(y.data);
  if (walk.is_last_contiguous() && all % 16 == 0) {
    run(Vector<std::uint32_t>{});
  } else if (element == 4 || (walk.is_last_contiguous() && all % 4 == 0)) {
    run(std::uint32_t{});
  } else {
    run(std::uint16_t{});  // the smallest element is bf16
  }
}

}  // namespace duel

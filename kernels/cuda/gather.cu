// One batch of pictures, gathered or loaded (contract: kernels/gather.h).
//
// Blocks share out one picture each (large pictures: several blocks a picture). The block's first thread works out
// which one it is, from the step, with the definition of gather.h; then one thread converts `Width` neighbouring bytes
// at a time into 16 bytes of y. Bytes moved: one read and four (bf16: two) written per element.
#include "kernels/gather.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kGatherThreads = 256;

// Which picture a place of the batch takes at a step.
struct ShuffledPicture {
  Random order;
  std::uint32_t count, batch;
  __device__ std::uint32_t operator()(std::int64_t step, std::uint32_t place) const {
    return picture_index(order, count, batch, static_cast<std::uint64_t>(step), place);
  }
};

struct SlotPicture {
  std::uint32_t slots, rows, first;
  __device__ std::uint32_t operator()(std::int64_t step, std::uint32_t place) const {
    return static_cast<std::uint32_t>(step % slots) * rows + first + place;
  }
};

// ---- kernels

template <int Width, class T, class Index>
__global__ void __launch_bounds__(kGatherThreads)
    convert_pictures_kernel(Index index_of,
                            const std::uint8_t* pictures,                 // [any, length]
                            const std::int64_t* step,                     // [1]
                            T* y,                                         // [batch, length]
                            std::int64_t length, std::uint32_t chunks) {  // gridDim.x is batch * chunks
  DUEL_SHARED(index, std::uint32_t);
  const std::uint32_t place = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
  if (threadIdx.x == 0) {
    index = index_of(step[0], place);
  }
  __syncthreads();  // every thread reads it
  const std::uint8_t* from = pictures + std::int64_t{index} * length;
  T* to = y + std::int64_t{place} * length;
  const std::int64_t stride = std::int64_t{chunks} * kGatherThreads, vectors = length / Width;
  for (std::int64_t v = std::int64_t{chunk} * kGatherThreads + threadIdx.x; v < vectors; v += stride) {
    const auto bytes = load_vector<std::uint8_t, Width>(from + v * Width);
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = from_float<T>(static_cast<float>(bytes.values[i]) / 127.5F - 1.0F);
    }
    store_vector(to + v * Width, result);
  }
}

// ---- launchers

namespace {

template <class Index>
void convert_pictures(CudaContext& context, const char* op, const Index& index_of, View pictures, View step, View y) {
  const auto batch = static_cast<std::uint32_t>(y.shape[0]);
  const std::int64_t length = y.shape.row_count();
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    const auto run = [&](auto width) {
      constexpr int kWidth = decltype(width)::value;
      // At least two turns of a block each, and a grid of at most 2^31 - 1 blocks.
      const std::int64_t most = std::clamp<std::int64_t>(INT32_MAX / std::int64_t{batch}, 1, 64);
      const unsigned chunks = blocks_for(length, kGatherThreads, 2 * kWidth, most);
      launch(context, op, {batch * chunks, kGatherThreads}, convert_pictures_kernel<kWidth, T, Index>, index_of,
             pictures.as<const std::uint8_t>(), step.as<const std::int64_t>(), y.as<T>(), length, chunks);
    };
    constexpr int kVector = kPerVector<T>;
    if (all_aligned(pictures.data, y.data) && length % kVector == 0) {
      run(std::integral_constant<int, kVector>{});
    } else {
      run(std::integral_constant<int, 1>{});
    }
  });
}

}  // namespace

void gather_pictures(CudaContext& context, const Random& order, View pictures, View step, View y) {
  const ShuffledPicture index_of{order, static_cast<std::uint32_t>(pictures.shape[0]),
                                 static_cast<std::uint32_t>(y.shape[0])};
  convert_pictures(context, "gather_pictures", index_of, pictures, step, y);
}

void load_pictures(CudaContext& context, const PictureSlot& slot, View ring, View step, View y) {
  const auto rows = static_cast<std::uint32_t>(slot.rows);
  const SlotPicture index_of{static_cast<std::uint32_t>(ring.shape[0]) / rows, rows,
                             static_cast<std::uint32_t>(slot.first)};
  convert_pictures(context, "load_pictures", index_of, ring, step, y);
}

}  // namespace duel

// One batch of rows, gathered or loaded (contract: kernels/gather.h).
//
// Blocks share out one row each (long rows: several blocks a row). The block's first thread works out where the row
// begins, from the step, with the definition of gather.h; then one thread converts `Width` neighbouring elements at a
// time, into 16 bytes of y where the rows are bytes. Bytes moved: each element read once and written once.
#include "kernels/gather.h"

#include "kernels/cuda/device.cuh"

#include <algorithm>

namespace duel {

inline constexpr int kGatherThreads = 256;

// Where the row that a place of the batch takes at a step begins, in bytes behind the beginning of all.
struct ShuffledRow {
  Random order;
  std::uint32_t count, batch;
  std::int64_t row_bytes;
  __device__ std::int64_t operator()(std::int64_t step, std::uint32_t place) const {
    return row_index(order, count, batch, static_cast<std::uint64_t>(step), place) * row_bytes;
  }
};

struct SlotRow {
  std::int64_t slots, slot_bytes, offset, row_bytes;
  __device__ std::int64_t operator()(std::int64_t step, std::uint32_t place) const {
    return step % slots * slot_bytes + offset + place * row_bytes;
  }
};

template <class T>
struct ScaledRow {
  RowScale scale;
  template <class Stored>
  __device__ T operator()(Stored x) const {
    return from_float<T>(static_cast<float>(x) / scale.divisor + scale.shift);
  }
};

struct CopiedRow {
  __device__ std::int32_t operator()(std::int32_t x) const { return x; }
};

// ---- kernels

template <int Width, class Stored, class T, class Place, class Convert>
__global__ void __launch_bounds__(kGatherThreads)
    convert_rows_kernel(Place place_of, Convert convert,
                        const std::byte* stored,                      // rows of [length] Stored, where place_of says
                        const std::int64_t* step,                     // [1]
                        T* y,                                         // [batch, length]
                        std::int64_t length, std::uint32_t chunks) {  // gridDim.x is batch * chunks
  DUEL_SHARED(begin, std::int64_t);
  const std::uint32_t place = blockIdx.x / chunks, chunk = blockIdx.x % chunks;
  if (threadIdx.x == 0) {
    begin = place_of(step[0], place);
  }
  __syncthreads();  // every thread reads it
  const Stored* from = reinterpret_cast<const Stored*>(stored + begin);
  T* to = y + std::int64_t{place} * length;
  const std::int64_t stride = std::int64_t{chunks} * kGatherThreads, vectors = length / Width;
  for (std::int64_t v = std::int64_t{chunk} * kGatherThreads + threadIdx.x; v < vectors; v += stride) {
    const auto elements = load_vector<Stored, Width>(from + v * Width);
    Vector<T, Width> result;
#pragma unroll
    for (int i = 0; i < Width; ++i) {
      result.values[i] = convert(elements.values[i]);
    }
    store_vector(to + v * Width, result);
  }
}

// ---- launchers

namespace {

template <class Stored, class T, class Place, class Convert>
void convert_rows(CudaContext& context, const char* op, const Place& place_of, const Convert& convert, View stored,
                  View step, View y) {
  const auto batch = static_cast<std::uint32_t>(y.shape[0]);
  const std::int64_t length = y.shape.row_count();
  const auto run = [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    // At least two turns of a block each, and a grid of at most 2^31 - 1 blocks.
    const std::int64_t most = std::clamp<std::int64_t>(INT32_MAX / std::int64_t{batch}, 1, 64);
    const unsigned chunks = blocks_for(length, kGatherThreads, 2 * kWidth, most);
    launch(context, op, {batch * chunks, kGatherThreads}, convert_rows_kernel<kWidth, Stored, T, Place, Convert>,
           place_of, convert, stored.as<const std::byte>(), step.as<const std::int64_t>(), y.as<T>(), length, chunks);
  };
  constexpr int kVector = 16 / static_cast<int>(std::max(sizeof(T), sizeof(Stored)));
  if (all_aligned(stored.data, y.data) && length % kVector == 0) {
    run(std::integral_constant<int, kVector>{});
  } else {
    run(std::integral_constant<int, 1>{});
  }
}

template <class Place>
void convert_rows(CudaContext& context, const char* op, const Place& place_of, DType dtype, const RowScale& scale,
                  View stored, View step, View y) {
  if (dtype == DType::i32) {
    return convert_rows<std::int32_t, std::int32_t>(context, op, place_of, CopiedRow{}, stored, step, y);
  }
  with_float_type(y.dtype, [&](auto element) {
    using T = decltype(element);
    if (dtype == DType::u8) {
      convert_rows<std::uint8_t, T>(context, op, place_of, ScaledRow<T>{scale}, stored, step, y);
    } else {
      convert_rows<float, T>(context, op, place_of, ScaledRow<T>{scale}, stored, step, y);
    }
  });
}

std::int64_t row_bytes(const View& y, DType stored) {
  return y.shape.row_count() * static_cast<std::int64_t>(size_of(stored));
}

}  // namespace

void gather_rows(CudaContext& context, const GatherRows& p, View rows, View step, View y) {
  const ShuffledRow place_of{p.order, static_cast<std::uint32_t>(rows.shape[0]), static_cast<std::uint32_t>(y.shape[0]),
                             row_bytes(y, rows.dtype)};
  convert_rows(context, "gather_rows", place_of, rows.dtype, p.scale, rows, step, y);
}

void load_rows(CudaContext& context, const LoadRows& p, View ring, View step, View y) {
  const SlotRow place_of{ring.shape[0], ring.shape[1], p.offset, row_bytes(y, p.dtype)};
  convert_rows(context, "load_rows", place_of, p.dtype, p.scale, ring, step, y);
}

}  // namespace duel

// Moving rows (contract: kernels/rows.h). Rows are contiguous, so all three operators put an array together from at
// most two pieces and zeros. One thread moves one unit at a time: 16 bytes where pointers and lengths allow, else 4
// or 2. Bytes moved: the output's twice, its zeros once.
#include "kernels/rows.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

// ---- kernels

// y = head, body, zeros, one behind the other; a head that is null is zeros too.
template <class Unit>
__global__ void __launch_bounds__(kMapThreads)
    assemble_kernel(const Unit* head,  // [begin], or null
                    const Unit* body,  // [end - begin]
                    Unit* y,           // [count]
                    std::int64_t begin, std::int64_t end, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    Unit unit{};
    if (i >= begin && i < end) {
      unit = body[i - begin];
    } else if (i < begin && head != nullptr) {
      unit = head[i];
    }
    y[i] = unit;
  }
}

// ---- launchers

namespace {

// Bytes [0, begin) of y are `head`, or zero where that is null; bytes [begin, end) are `body`; the others zero.
void assemble(CudaContext& context, const char* op, const void* head, const void* body, View y, std::size_t begin,
              std::size_t end) {
  const auto run = [&](auto unit) {
    using Unit = decltype(unit);
    constexpr std::size_t kBytes = sizeof(Unit);
    const auto count = static_cast<std::int64_t>(y.bytes() / kBytes);
    launch(context, op, {blocks_for(count, kMapThreads, 1, kMapBlocks), kMapThreads}, assemble_kernel<Unit>,
           static_cast<const Unit*>(head), static_cast<const Unit*>(body), y.as<Unit>(),
           static_cast<std::int64_t>(begin / kBytes), static_cast<std::int64_t>(end / kBytes), count);
  };
  const auto all = begin | end | y.bytes() | reinterpret_cast<std::uintptr_t>(head) |
                   reinterpret_cast<std::uintptr_t>(body) | reinterpret_cast<std::uintptr_t>(y.data);
  if (all % 16 == 0) {
    run(Vector<std::uint32_t>{});
  } else if (all % 4 == 0) {
    run(std::uint32_t{});
  } else {
    run(std::uint16_t{});  // the smallest element is bf16
  }
}

std::size_t bytes_of_rows(View view, int rows) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(view.shape.row_count()) * size_of(view.dtype);
}

}  // namespace

void concat_rows(CudaContext& context, View a, View b, View y) {
  assemble(context, "concat_rows", a.data, b.data, y, a.bytes(), y.bytes());
}

void slice_rows(CudaContext& context, int begin, View x, View y) {
  assemble(context, "slice_rows", nullptr, x.as<const std::byte>() + bytes_of_rows(x, begin), y, 0, y.bytes());
}

void pad_rows(CudaContext& context, int begin, View x, View y) {
  const std::size_t before = bytes_of_rows(y, begin);
  assemble(context, "pad_rows", nullptr, x.data, y, before, before + x.bytes());
}

}  // namespace duel

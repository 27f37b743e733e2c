// Moving columns (contract: kernels/columns.h). All three operators put each row of y together from at most two pieces
// of rows of other arrays, and zeros. One thread moves one unit at a time: 16 bytes where pointers and lengths allow,
// else 4 or 2. Bytes moved: the output's twice, its zeros once.
#include "kernels/columns.h"

#include "kernels/cuda/pointwise.cuh"

namespace duel {

namespace {

// A row of y: columns [0, begin) are those of `head`, or zero where that is null; columns [begin, end) are those of
// `body`; the others zero. In units of a kernel.
struct RowPieces {
  std::int64_t begin, end, columns;     // columns: of y
  std::int64_t head_pitch, body_pitch;  // from one row to the next
};

}  // namespace

// ---- kernels

template <class Unit>
__global__ void __launch_bounds__(kMapThreads) assemble_columns_kernel(const Unit* head,  // [rows, head_pitch], or null
                                                                       const Unit* body,  // [rows, body_pitch]
                                                                       Unit* y,           // [rows, columns]
                                                                       RowPieces p, std::int64_t count) {
  const std::int64_t stride = std::int64_t{gridDim.x} * kMapThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kMapThreads + threadIdx.x; i < count; i += stride) {
    const std::int64_t row = i / p.columns, column = i - row * p.columns;
    Unit unit{};
    if (column >= p.begin && column < p.end) {
      unit = body[row * p.body_pitch + column - p.begin];
    } else if (column < p.begin && head != nullptr) {
      unit = head[row * p.head_pitch + column];
    }
    y[i] = unit;
  }
}

// ---- launchers

namespace {

// `p` in elements of y's type.
void assemble(CudaContext& context, const char* op, const void* head, const void* body, View y, const RowPieces& p) {
  const auto element = static_cast<std::int64_t>(size_of(y.dtype));
  const auto run = [&](auto unit) {
    using Unit = decltype(unit);
    const auto units = [&](std::int64_t elements) {
      return elements * element / static_cast<std::int64_t>(sizeof(Unit));
    };
    const std::int64_t count = units(y.count());
    launch(context, op, {blocks_for(count, kMapThreads, 1, kMapBlocks), kMapThreads}, assemble_columns_kernel<Unit>,
           static_cast<const Unit*>(head), static_cast<const Unit*>(body), y.as<Unit>(),
           RowPieces{units(p.begin), units(p.end), units(p.columns), units(p.head_pitch), units(p.body_pitch)}, count);
  };
  const auto lengths =
      static_cast<std::uintptr_t>((p.begin | p.end | p.columns | p.head_pitch | p.body_pitch) * element);
  const auto all = lengths | reinterpret_cast<std::uintptr_t>(head) | reinterpret_cast<std::uintptr_t>(body) |
                   reinterpret_cast<std::uintptr_t>(y.data);
  if (all % 16 == 0) {
    run(Vector<std::uint32_t>{});
  } else if (all % 4 == 0) {
    run(std::uint32_t{});
  } else {
    run(std::uint16_t{});  // the smallest element is bf16
  }
}

}  // namespace

void concat_columns(CudaContext& context, View a, View b, View y) {
  const std::int64_t left = a.shape.back(), right = b.shape.back();
  assemble(context, "concat_columns", a.data, b.data, y, {left, left + right, left + right, left, right});
}

void slice_columns(CudaContext& context, int begin, View x, View y) {
  const std::int64_t columns = y.shape.back();
  const auto* body = x.as<const std::byte>() + static_cast<std::size_t>(begin) * size_of(x.dtype);
  assemble(context, "slice_columns", nullptr, body, y, {0, columns, columns, 0, x.shape.back()});
}

void pad_columns(CudaContext& context, int begin, View x, View y) {
  const std::int64_t from = begin, columns = x.shape.back();
  assemble(context, "pad_columns", nullptr, x.data, y, {from, from + columns, y.shape.back(), 0, columns});
}

}  // namespace duel

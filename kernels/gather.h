// One batch of a data set's rows on the device: gathered, shuffled, out of an array that lies there whole, or loaded
// from a ring of slots that the host fills ahead. A row is a picture, a label, or any other array.
//
//   gather_rows   y[i,...] = convert(rows[index(i),...])
//   load_rows     y[i,...] = convert(stored[i,...]), where the rows stored begin `offset` bytes behind slot step mod S
//
// step i64 [1]. Rows of u8 or f32: y f32 or bf16, convert(x) = x / divisor + shift in f32. Rows of i32 (labels): y i32,
// convert(x) = x. A division rounds once and is never contracted with the addition, so every backend makes the same
// bytes.
//
// gather_rows: rows [M,...], y [B,...], B <= M. An epoch is M / B steps (rounded down); in each, places
// step*B .. step*B+B-1 of a permutation of the rows are taken, keyed by seed, purpose and epoch (philox.h): every
// epoch has its own order, no row comes twice in one, and nothing is stored. Two fields of a data set that are gathered
// in the same order stay row by row together.
//
// load_rows: ring u8 [S,slot bytes]; slot bytes and offset are multiples of kSlotAlignment, the ring is aligned to the
// type of the rows.
#pragma once

#include "kernels/context.h"
#include "kernels/philox.h"
#include "kernels/random.h"
#include "kernels/tensor.h"

namespace duel {

struct RowScale {
  float divisor = 1, shift = 0;  // x / divisor + shift; ignored where rows are i32
  bool operator==(const RowScale&) const = default;
};

inline constexpr RowScale kPictureScale{127.5F, -1.0F};  // 0..255 to [-1,1]

struct GatherRows {
  Random order;
  RowScale scale = {};
};

void gather_rows(Context&, const GatherRows&, View rows, View step, View y);

inline constexpr int kSlotAlignment = 64;  // bytes: every row type and vector of a kernel begins at such a place

struct LoadRows {
  DType dtype = DType::u8;  // of the rows in the slot
  std::int64_t offset = 0;  // bytes
  RowScale scale = {};
};

void load_rows(Context&, const LoadRows&, View ring, View step, View y);

// The row that place `place` of the batch takes at `step`: the definition, for every backend and for tests.
constexpr std::uint32_t row_index(const Random& order, std::uint32_t rows, std::uint32_t batch, std::uint64_t step,
                                  std::uint32_t place) {
  const std::uint64_t steps_per_epoch = rows / batch;
  const PhiloxBlock key = philox(order.seed, order.purpose, step / steps_per_epoch, 0);
  return permute_index(key, rows, static_cast<std::uint32_t>(step % steps_per_epoch) * batch + place);
}

}  // namespace duel

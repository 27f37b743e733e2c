// Sums over the rows of a matrix in an order that does not depend on the number of threads: the rows are cut into at
// most kBlocks blocks by their count alone, each block is summed by one thread, and the blocks are added in order.
#pragma once

#include "kernels/cpu/element.h"
#include "kernels/cpu/parallel.h"

#include <cstring>

namespace duel {

// visit(row, sums) adds row `row` to sums[0..columns-1], and finish(column, sum) takes what a column comes to. Within a
// block, every kShort rows are summed apart: that keeps the rounding error of long sums small. in_place [columns]: used
// where the columns are too many for partial results; null: they never are.
template <class Visit, class Finish>
void sum_rows(CpuContext& context, std::int64_t rows, std::int64_t columns, float* in_place, const Visit& visit,
              const Finish& finish) {
  constexpr std::int64_t kBlocks = 64, kShort = 64;
  const auto partial_floats = static_cast<std::int64_t>(CpuContext::kPartialBytes / sizeof(float));
  std::int64_t blocks = std::min({kBlocks, (rows + kShort - 1) / kShort, partial_floats / (2 * columns)});
  blocks = std::max<std::int64_t>(blocks, 1);
  const bool wide = in_place != nullptr && 2 * columns > partial_floats;      // one block, summed in place
  float* totals = wide ? in_place : static_cast<float*>(context.partials());  // [blocks, columns]
  float* shorts = totals + blocks * columns;                                  // [blocks, columns]
  parallel_ranges(context, blocks, 1, [&](std::int64_t first_block, std::int64_t last_block) {
    for (std::int64_t block = first_block; block < last_block; ++block) {
      float* total = totals + block * columns;
      std::fill_n(total, columns, 0.0F);
      const std::int64_t begin = rows * block / blocks, end = rows * (block + 1) / blocks;
      if (wide) {
        for (std::int64_t row = begin; row < end; ++row) {
          visit(row, total);
        }
        continue;
      }
      float* part = shorts + block * columns;
      for (std::int64_t short_begin = begin; short_begin < end; short_begin += kShort) {
        std::fill_n(part, columns, 0.0F);
        for (std::int64_t row = short_begin; row < std::min(end, short_begin + kShort); ++row) {
          visit(row, part);
        }
        for (std::int64_t column = 0; column < columns; ++column) {
          total[column] += part[column];
        }
      }
    }
  });
  for (std::int64_t column = 0; column < columns; ++column) {
    float sum = 0;
    for (std::int64_t block = 0; block < blocks; ++block) {
      sum += totals[block * columns + column];
    }
    finish(column, sum);
  }
}

template <class Visit>
void sum_rows(CpuContext& context, std::int64_t rows, std::int64_t columns, float scale, float* result,
              const Visit& visit) {
  sum_rows(context, rows, columns, result, visit,
           [=](std::int64_t column, float sum) { result[column] = scale * sum; });
}

}  // namespace duel

// The innermost loop of matrix products by hand: a block of rows x vectors of the result stays in registers while the
// inner extent is walked, with one broadcast of `a` for each row and one vector of `b` for each column a step.
//
// Which blocks are quick is the compiler's doing as much as the processor's. Of a Zen 4 core's peak, at 32 and 128
// steps, with AVX-512 and GCC 12: 8 x 3 vectors 96 and 100 %, 8 x 2 and 10 x 2 94 and 97 %, but 6 x 4 75 and 92 %.
#pragma once

#include "kernels/cpu/vector.h"

#include <algorithm>
#include <cstdint>

namespace duel::simd {

// An operand that is broadcast element by element.
struct Rows {
  const float* data;
  std::int64_t row, step;  // from a row of the result to the next, and along the inner extent
};

enum class Into {
  overwrite,
  add,
  stream,  // as stream() does
};

inline constexpr int kStepsBetween = 16;

// d[Count, Vectors * kLanes] = or += a b; rows of b are b_step apart, those of d d_row. `between` is called before
// every kStepsBetween steps: a few lines fetched then come while sums are made, where many at once would hold up the
// loads. Not inlined: in the midst of its callers GCC 12 runs out of registers for the sums.
template <int Count, int Vectors, Into To, class Between>
[[gnu::noinline]] void multiply_block(Rows a, const float* b, std::int64_t b_step, int steps, float* d,
                                      std::int64_t d_row, Between& between) {
  Vec sums[Count * Vectors];
  unrolled<Count * Vectors>(
      [&](auto i) { sums[i] = To == Into::add ? load(d + i / Vectors * d_row + i % Vectors * kLanes) : Vec{}; });
  for (int done = 0; done < steps; done += kStepsBetween) {
    between();
    const int stop = std::min(done + kStepsBetween, steps);
    for (int step = done; step < stop; ++step) {
      Vec row[Vectors];
      unrolled<Vectors>([&](auto j) { row[j] = load(b + step * b_step + j * kLanes); });
      unrolled<Count>([&](auto r) {
        const float factor = a.data[r * a.row + step * a.step];
        unrolled<Vectors>([&](auto j) { sums[r * Vectors + j] += factor * row[j]; });
      });
    }
  }
  unrolled<Count * Vectors>([&](auto i) {
    float* const to = d + i / Vectors * d_row + i % Vectors * kLanes;
    To == Into::stream ? stream(to, sums[i]) : store(to, sums[i]);
  });
}

}  // namespace duel::simd

// The transforms of Winograd's minimal filtering for two taps, on vectors of channels: what winograd_tiles.h has for
// three.
//
// A tile is 5x5 pixels at once, for the points 0, a, -a, b and infinity with a = 3/4 and b = 3/2, which of those tried
// err least in f32, as much as F(4,3) there:
//
//   F(4,2)   y[4]  = V(4)^T ( (D V(2) g[2]) * (B^T d[5]) )
//   F(2,4)   dw[2] = V(2)^T ( (D V(4) dy[4]) * (B^T d[5]) )
//
// so that a 4x4 tile of outputs of 2x2 filters takes 25 products instead of 64.
#pragma once

#include "kernels/cpu/winograd_tiles.h"

namespace duel::winograd::pairs {

inline constexpr int kTile = 5;  // rows and columns of a tile of inputs
inline constexpr int kPlanes = 25;

inline constexpr float kA = 0.75F, kA2 = kA * kA, kA3 = kA2 * kA;
inline constexpr float kB = 1.5F, kB2 = kB * kB, kB3 = kB2 * kB;
inline constexpr float kWeight0 = 1 / (kA2 * kB);                  // 1/N of the point 0
inline constexpr float kWeightA = 1 / (2 * kA2 * (kA - kB));       // of a
inline constexpr float kWeightMinus = -1 / (2 * kA2 * (kA + kB));  // of -a
inline constexpr float kWeightB = 1 / (kB * (kB2 - kA2));          // of b

// B^T d
[[gnu::always_inline]] inline void spread_input(const Vec (&d)[5], Vec (&out)[5]) {
  const Vec even = d[3] - kB * d[2], odd = kA * (d[2] - kB * d[1]);
  const Vec far = d[3] - kA2 * d[1];
  out[0] = far - kB * d[2] + (kA2 * kB) * d[0];
  out[1] = even + odd;
  out[2] = even - odd;
  out[3] = far;
  out[4] = (kA2 * kB) * d[1] - kA2 * d[2] - kB * d[3] + d[4];
}

// D V(2) g
[[gnu::always_inline]] inline void spread_filter(const Vec (&g)[2], Vec (&out)[5]) {
  out[0] = kWeight0 * g[0];
  out[1] = kWeightA * (g[0] + kA * g[1]);
  out[2] = kWeightMinus * (g[0] - kA * g[1]);
  out[3] = kWeightB * (g[0] + kB * g[1]);
  out[4] = g[1];
}

// D V(4) dy
[[gnu::always_inline]] inline void spread_gradient(const Vec (&dy)[4], Vec (&out)[5]) {
  const Vec even = dy[0] + kA2 * dy[2], odd = kA * dy[1] + kA3 * dy[3];
  out[0] = kWeight0 * dy[0];
  out[1] = kWeightA * (even + odd);
  out[2] = kWeightMinus * (even - odd);
  out[3] = kWeightB * (dy[0] + kB * dy[1] + kB2 * dy[2] + kB3 * dy[3]);
  out[4] = dy[3];
}

// V(4)^T m
[[gnu::always_inline]] inline void gather_output(const Vec (&m)[5], Vec (&out)[4]) {
  const Vec even = m[1] + m[2], odd = m[1] - m[2];
  out[0] = m[0] + even + m[3];
  out[1] = kA * odd + kB * m[3];
  out[2] = kA2 * even + kB2 * m[3];
  out[3] = kA3 * odd + kB3 * m[3] + m[4];
}

// V(2)^T m
[[gnu::always_inline]] inline void gather_filter(const Vec (&m)[5], Vec (&out)[2]) {
  out[0] = m[0] + (m[1] + m[2]) + m[3];
  out[1] = kA * (m[1] - m[2]) + kB * m[3] + m[4];
}

// The four vectors of a filter: lane l of transformed tap e goes to out[e * plane + l].
inline void spread_taps(const Vec (&g)[2][2], std::int64_t plane, float* out) {
  Vec half[2][kTile];
  spread_filter(g[0], half[0]);
  spread_filter(g[1], half[1]);
  for (int j = 0; j < kTile; ++j) {
    const Vec column[2] = {half[0][j], half[1][j]};
    Vec result[kTile];
    spread_filter(column, result);
    for (int i = 0; i < kTile; ++i) {
      store(out + (i * kTile + j) * plane, result[i]);
    }
  }
}

}  // namespace duel::winograd::pairs

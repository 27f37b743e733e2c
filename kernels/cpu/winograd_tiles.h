// The transforms of Winograd's minimal filtering for 3x3 filters, on vectors of channels.
//
// A tile is 6x6 pixels at once. Along one axis, with V(n) the 6 rows p^0..p^(n-1) for the points p = 0, a, -a, b, -b
// and infinity (there only the last column is 1), and D = diag(1/N) with N the products of a point's distances to the
// others:
//
//   F(4,3)   y[4]  = V(4)^T ( (D V(3) g[3]) * (B^T d[6]) )      outputs from filters and inputs
//   F(3,4)   dw[3] = V(3)^T ( (D V(4) dy[4]) * (B^T d[6]) )     filter gradients from output gradients and inputs
//
// so that 4 outputs of 3 products each take 6 products, and a 4x4 tile of outputs 36 instead of 144. B^T is the same
// in both. Lavin & Gray, 2016 (arXiv:1509.09308) take a = 1, b = 2; here a = 5/8, b = 3/2 as in oneDNN, which at the
// same number of operations errs 2 to 3 times less in f32 and whose powers are exact.
#pragma once

#include "kernels/cpu/vector.h"

#include <algorithm>
#include <cstdint>

namespace duel::winograd {

using simd::kLanes, simd::load, simd::prefetch, simd::store, simd::Vec;

inline constexpr int kOutputs = 4;  // rows and columns of a tile of outputs
inline constexpr int kTile = 6;     // of a tile of inputs
inline constexpr int kPlanes = 36;  // transformed pixels of a tile: so many matrices are multiplied

inline constexpr float kA = 0.625F, kA2 = kA * kA, kA3 = kA2 * kA;
inline constexpr float kB = 1.5F, kB2 = kB * kB, kB3 = kB2 * kB;
inline constexpr float kWeight0 = 1 / (kA2 * kB2);              // 1/N of the point 0
inline constexpr float kWeightA = 1 / (2 * kA2 * (kA2 - kB2));  // of a and -a
inline constexpr float kWeightB = 1 / (2 * kB2 * (kB2 - kA2));  // of b and -b

// B^T d
[[gnu::always_inline]] inline void spread_input(const Vec (&d)[6], Vec (&out)[6]) {
  const Vec even_a = d[4] - kB2 * d[2], odd_a = kA * (d[3] - kB2 * d[1]);
  const Vec even_b = d[4] - kA2 * d[2], odd_b = kB * (d[3] - kA2 * d[1]);
  out[0] = kA2 * kB2 * d[0] - (kA2 + kB2) * d[2] + d[4];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = kA2 * kB2 * d[1] - (kA2 + kB2) * d[3] + d[5];
}

// D V(3) g
[[gnu::always_inline]] inline void spread_filter(const Vec (&g)[3], Vec (&out)[6]) {
  const Vec even_a = kWeightA * (g[0] + kA2 * g[2]), odd_a = (kWeightA * kA) * g[1];
  const Vec even_b = kWeightB * (g[0] + kB2 * g[2]), odd_b = (kWeightB * kB) * g[1];
  out[0] = kWeight0 * g[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = g[2];
}

// D V(4) dy
[[gnu::always_inline]] inline void spread_gradient(const Vec (&dy)[4], Vec (&out)[6]) {
  const Vec even_a = kWeightA * (dy[0] + kA2 * dy[2]), odd_a = (kWeightA * kA) * (dy[1] + kA2 * dy[3]);
  const Vec even_b = kWeightB * (dy[0] + kB2 * dy[2]), odd_b = (kWeightB * kB) * (dy[1] + kB2 * dy[3]);
  out[0] = kWeight0 * dy[0];
  out[1] = even_a + odd_a;
  out[2] = even_a - odd_a;
  out[3] = even_b + odd_b;
  out[4] = even_b - odd_b;
  out[5] = dy[3];
}

// V(4)^T m
[[gnu::always_inline]] inline void gather_output(const Vec (&m)[6], Vec (&out)[4]) {
  const Vec even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
  out[0] = m[0] + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = kA2 * even_a + kB2 * even_b;
  out[3] = kA3 * odd_a + kB3 * odd_b + m[5];
}

// V(3)^T m
[[gnu::always_inline]] inline void gather_filter(const Vec (&m)[6], Vec (&out)[3]) {
  const Vec even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
  out[0] = m[0] + even_a + even_b;
  out[1] = kA * odd_a + kB * odd_b;
  out[2] = kA2 * even_a + kB2 * even_b + m[5];
}

// --- Tiles of pictures --------------------------------------------------------------------------------------------

template <class T>
struct Pictures {
  const T* data;  // [N,H,W,C], or C of more channels
  int H, W, C;
  int pitch = C;  // from a pixel to the next
};

// The tiles of outputs [N,P,Q], numbered picture by picture and row by row.
struct Tiling {
  int rows, columns;
  std::int64_t count;

  Tiling(int N, int P, int Q)
      : rows((P + kOutputs - 1) / kOutputs),
        columns((Q + kOutputs - 1) / kOutputs),
        count(std::int64_t{N} * rows * columns) {}
};

struct Place {
  std::int64_t picture;
  int top, left;  // of the tile's outputs

  Place(const Tiling& tiling, std::int64_t tile)
      : picture(tile / (tiling.rows * tiling.columns)),
        top(static_cast<int>(tile / tiling.columns % tiling.rows) * kOutputs),
        left(static_cast<int>(tile % tiling.columns) * kOutputs) {}

  // To the next tile, without divisions.
  void advance(const Tiling& tiling) {
    left += kOutputs;
    if (left == tiling.columns * kOutputs) {
      left = 0;
      top += kOutputs;
      if (top == tiling.rows * kOutputs) {
        top = 0;
        ++picture;
      }
    }
  }
};

// Fetches the pixels of tiles into the second cache, to be read or written soon, a few at a time: all of them have been
// asked for after so many calls of fetch().
template <bool Write, class T>
class TilesAhead {
public:
  // The 4x4 pixels of each tile, moved by (down, right).
  TilesAhead(const Pictures<T>& pictures, const Tiling& tiling, std::int64_t first, int tiles, int down, int right,
             int calls)
      : pictures_(pictures),
        tiling_(tiling),
        place_(tiling, first),
        left_(tiles * kOutputs * kOutputs),
        at_once_((left_ + calls - 1) / calls),
        down_(down),
        right_(right) {}

  [[gnu::always_inline]] void fetch() {
    for (int count = std::min(at_once_, left_); count > 0; --count, --left_) {
      const int h = place_.top + down_ + pixel_ / kOutputs, w = place_.left + right_ + pixel_ % kOutputs;
      if (h < pictures_.H && w < pictures_.W) {
        prefetch<Write>(pictures_.data + ((place_.picture * pictures_.H + h) * pictures_.W + w) * pictures_.pitch,
                        pictures_.C);
      }
      if (++pixel_ == kOutputs * kOutputs) {
        pixel_ = 0;
        place_.advance(tiling_);
      }
    }
  }

private:
  Pictures<T> pictures_;
  Tiling tiling_;
  Place place_;    // of the tile that is fetched
  int pixel_ = 0;  // of that tile
  int left_, at_once_, down_, right_;
};

// One tile of Extent x Extent pixels, Step apart, whose corner lies at (top, left), through Spread along both axes.
// Pixels outside the picture are zero. Channel c of transformed pixel e goes to out[e * plane + c].
template <int Extent, auto Spread, bool Inside, int Tile, int Step, class T>
void spread_pixels(const Pictures<T>& x, std::int64_t picture, int top, int left, std::int64_t plane, float* out) {
  const T* corner = x.data + ((picture * x.H + top) * x.W + left) * x.pitch;
  for (int c = 0; c < x.C; c += kLanes) {
    Vec half[Tile][Extent];
    for (int j = 0; j < Extent; ++j) {
      Vec column[Extent], spread_column[Tile];
      for (int i = 0; i < Extent; ++i) {
        const int h = top + i * Step, w = left + j * Step;
        const bool exists = Inside || (h >= 0 && h < x.H && w >= 0 && w < x.W);
        column[i] = exists ? load(corner + (std::int64_t{i} * x.W + j) * Step * x.pitch + c) : Vec{};
      }
      Spread(column, spread_column);
      for (int i = 0; i < Tile; ++i) {
        half[i][j] = spread_column[i];
      }
    }
    for (int i = 0; i < Tile; ++i) {
      Vec row[Tile];
      Spread(half[i], row);
      for (int j = 0; j < Tile; ++j) {
        store(out + (i * Tile + j) * plane + c, row[j]);
      }
    }
  }
}
template <int Extent, auto Spread, int Tile = kTile, int Step = 1, class T>
void spread_tile(const Pictures<T>& x, std::int64_t picture, int top, int left, std::int64_t plane, float* out) {
  constexpr int kReach = (Extent - 1) * Step;
  if (top >= 0 && left >= 0 && top + kReach < x.H && left + kReach < x.W) {
    spread_pixels<Extent, Spread, true, Tile, Step>(x, picture, top, left, plane, out);
  } else {
    spread_pixels<Extent, Spread, false, Tile, Step>(x, picture, top, left, plane, out);
  }
}

// The same for the nine vectors of a filter: lane l of transformed tap e goes to out[e * plane + l].
inline void spread_taps(const Vec (&g)[3][3], std::int64_t plane, float* out) {
  Vec half[3][kTile];
  for (int r = 0; r < 3; ++r) {
    spread_filter(g[r], half[r]);
  }
  for (int j = 0; j < kTile; ++j) {
    const Vec column[3] = {half[0][j], half[1][j], half[2][j]};
    Vec result[kTile];
    spread_filter(column, result);
    for (int i = 0; i < kTile; ++i) {
      store(out + (i * kTile + j) * plane, result[i]);
    }
  }
}

// The way back: Tile x Tile vectors, vector e at m + e * plane, through Gather along both axes.
template <int Extent, auto Gather, int Tile = kTile>
[[gnu::always_inline]] inline void gather_tile(const float* m, std::int64_t plane, Vec (&out)[Extent][Extent]) {
  Vec half[Extent][Tile];
  for (int j = 0; j < Tile; ++j) {
    Vec column[Tile], gathered[Extent];
    for (int i = 0; i < Tile; ++i) {
      column[i] = load(m + (i * Tile + j) * plane);
    }
    Gather(column, gathered);
    for (int i = 0; i < Extent; ++i) {
      half[i][j] = gathered[i];
    }
  }
  for (int i = 0; i < Extent; ++i) {
    Gather(half[i], out[i]);
  }
}

}  // namespace duel::winograd

// The wrappers of kernels/cuda/instructions.cuh against plain loops over whole matrices.
#include "kernels/cuda/instructions.cuh"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace duel {

namespace {

using emulator::Order;

template <class Check>
void in_every_order(const Check& check) {
  for (const Order order : {Order::forward, Order::reverse, Order::random, Order::greedy}) {
    emulator::options().order = order;
    check();
  }
  emulator::options() = {};
}

// Small integers: exact in every type, and so are their sums.
float element(int row, int column, int seed) {
  return static_cast<float>((row * 7 + column * 13 + seed) % 17 - 8);
}

// d[16,8] = c + a[16,16] b[16,8]; every lane takes its elements from the matrices as the table of instructions.cuh
// says.
__global__ void mma_bf16_kernel(const Bf16* a, const Bf16* b, float* d) {
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  const auto pair = [](Bf16 low, Bf16 high) {
    std::uint16_t bits[2];
    std::memcpy(bits, &low, 2);
    std::memcpy(bits + 1, &high, 2);
    return bits[0] | std::uint32_t{bits[1]} << 16;
  };
  std::uint32_t af[4], bf[2];
  for (int r = 0; r < 4; ++r) {
    const Bf16* at = a + (g + 8 * (r & 1)) * 16 + 2 * t + 8 * (r >> 1);
    af[r] = pair(at[0], at[1]);
  }
  for (int r = 0; r < 2; ++r) {
    const Bf16* at = b + (2 * t + 8 * r) * 8 + g;
    bf[r] = pair(at[0], at[8]);
  }
  float df[4];
  for (int i = 0; i < 4; ++i) {
    df[i] = d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
  }
  mma_bf16(df, af, bf);
  for (int i = 0; i < 4; ++i) {
    d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = df[i];
  }
}

__global__ void mma_tf32_kernel(const float* a, const float* b, float* d) {
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  std::uint32_t af[4], bf[2];
  for (int r = 0; r < 4; ++r) {
    af[r] = to_tf32(a[(g + 8 * (r & 1)) * 8 + t + 4 * (r >> 1)]);
  }
  for (int r = 0; r < 2; ++r) {
    bf[r] = to_tf32(b[(t + 4 * r) * 8 + g]);
  }
  float df[4];
  for (int i = 0; i < 4; ++i) {
    df[i] = d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)];
  }
  mma_tf32(df, af, bf);
  for (int i = 0; i < 4; ++i) {
    d[(g + 8 * (i >> 1)) * 8 + 2 * t + (i & 1)] = df[i];
  }
}

template <class T>
void check_product(int inner, void (*kernel)(const T*, const T*, float*)) {
  std::vector<T> a(16 * inner), b(inner * 8);
  std::vector<float> d(16 * 8), expected(16 * 8);
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < inner; ++k) {
      a[row * inner + k] = from_float<T>(element(row, k, 1));
    }
  }
  for (int k = 0; k < inner; ++k) {
    for (int column = 0; column < 8; ++column) {
      b[k * 8 + column] = from_float<T>(element(k, column, 2));
    }
  }
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 8; ++column) {
      float sum = d[row * 8 + column] = element(row, column, 3);
      for (int k = 0; k < inner; ++k) {
        sum += element(row, k, 1) * element(k, column, 2);
      }
      expected[row * 8 + column] = sum;
    }
  }
  emulator::launch(kernel, 1, 32, 0, nullptr, a.data(), b.data(), d.data());
  EXPECT_EQ(d, expected);
}

TEST(EmulatorInstructionsTest, ProductOfBf16) {
  in_every_order([] { check_product<Bf16>(16, mma_bf16_kernel); });
}

TEST(EmulatorInstructionsTest, ProductOfTf32) {
  in_every_order([] { check_product<float>(8, mma_tf32_kernel); });
}

TEST(EmulatorInstructionsTest, RoundsToTf32) {
  const auto rounded = [](float value) { return __uint_as_float(to_tf32(value)); };
  EXPECT_EQ(rounded(1.0F), 1.0F);
  EXPECT_EQ(rounded(1.0F + 0x1p-10F), 1.0F + 0x1p-10F);
  EXPECT_EQ(rounded(1.0F + 0x1p-11F), 1.0F + 0x1p-10F);  // a tie goes away from zero
  EXPECT_EQ(rounded(-1.0F - 0x1p-11F), -1.0F - 0x1p-10F);
  EXPECT_EQ(rounded(1.0F + 0x1p-11F - 0x1p-23F), 1.0F);
  EXPECT_EQ(rounded(2.0F - 0x1p-23F), 2.0F);  // into the exponent
  EXPECT_EQ(rounded(-0.0F), 0.0F);
  EXPECT_EQ(rounded(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
}

// Element (i, j) of matrix m is 100 m + 10 i + j. Lane l gets elements (l/4, 2(l%4) + {0, 1}) of each; transposed,
// (2(l%4) + {0, 1}, l/4).
__global__ void load_kernel(std::uint32_t* plain, std::uint32_t* transposed) {
  DUEL_SHARED_ALIGNED(16, matrices, std::uint16_t[4][8][24]);
  const int lane = static_cast<int>(threadIdx.x);
  for (int j = 0; j < 8; ++j) {
    matrices[lane / 8][lane % 8][j] = static_cast<std::uint16_t>(100 * (lane / 8) + 10 * (lane % 8) + j);
  }
  __syncwarp();
  std::uint32_t r[4], s[4];
  load_matrices(r, matrices[lane / 8][lane % 8]);
  load_transposed(s, matrices[lane / 8][lane % 8]);
  for (int m = 0; m < 4; ++m) {
    plain[lane * 4 + m] = r[m];
    transposed[lane * 4 + m] = s[m];
  }
}

TEST(EmulatorInstructionsTest, LoadsMatrices) {
  in_every_order([] {
    std::vector<std::uint32_t> plain(32 * 4), transposed(32 * 4);
    emulator::launch(load_kernel, 1, 32, 0, nullptr, plain.data(), transposed.data());
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned m = 0; m < 4; ++m) {
        const unsigned i = lane / 4, j = lane % 4 * 2;
        EXPECT_EQ(plain[lane * 4 + m], (100 * m + 10 * i + j) | (100 * m + 10 * i + j + 1) << 16) << lane;
        EXPECT_EQ(transposed[lane * 4 + m], (100 * m + 10 * j + i) | (100 * m + 10 * (j + 1) + i) << 16) << lane;
      }
    }
  });
}

// What a thread finds in three buffers, each filled by a group of copies, as it waits for one group after another.
__global__ void copies_kernel(const float* x, float* y) {
  DUEL_SHARED_ALIGNED(16, buffers, float[3][4]);
  if (threadIdx.x != 0) {
    return;
  }
  int at = 0;
  const auto look = [&] {
    for (const auto& buffer : buffers) {
      y[at++] = buffer[3];
    }
  };
  for (int i = 0; i < 3; ++i) {
    for (float& value : buffers[i]) {
      value = -1.0F;
    }
    copy_async<16>(buffers[i], x + 4 * i, 16);
    copy_commit();
  }
  look();
  copy_wait<3>();
  look();
  copy_wait<1>();
  look();
  copy_wait<0>();
  look();
}

TEST(EmulatorInstructionsTest, CopiesLandAsLateAsTheyMay) {
  std::vector<float> x(12), y(12);
  for (int i = 0; i < 12; ++i) {
    x[i] = static_cast<float>(i);
  }
  emulator::launch(copies_kernel, 1, 32, 0, nullptr, x.data(), y.data());
  const float undefined = -2.0F;
  const std::vector<float> expected{undefined, undefined, undefined, undefined, undefined, undefined,
                                    3,         7,         undefined, 3,         7,         11};
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (expected[i] == undefined) {
      EXPECT_TRUE(std::isnan(y[i])) << i;
    } else {
      EXPECT_EQ(y[i], expected[i]) << i;
    }
  }
}

// The bytes that are not read become zero, and the source of none may be anywhere.
__global__ void ragged_copy_kernel(const float* x, float* y) {
  DUEL_SHARED_ALIGNED(16, vectors, float[2][4]);
  DUEL_SHARED(scalars, float[2]);
  if (threadIdx.x == 0) {
    copy_async<16>(vectors[0], x, 8);
    copy_async<16>(vectors[1], nullptr, 0);
    copy_async<4>(&scalars[0], x + 3, 4);
    copy_async<4>(&scalars[1], nullptr, 0);
    copy_commit();
    copy_wait<0>();
    for (int i = 0; i < 4; ++i) {
      y[i] = vectors[0][i];
      y[4 + i] = vectors[1][i];
    }
    y[8] = scalars[0];
    y[9] = scalars[1];
  }
}

TEST(EmulatorInstructionsTest, CopiesFillWithZeros) {
  alignas(16) const float x[4] = {1, 2, 3, 4};
  std::vector<float> y(10);
  emulator::launch(ragged_copy_kernel, 1, 32, 0, nullptr, static_cast<const float*>(x), y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 2, 0, 0, 0, 0, 0, 0, 4, 0}));
}

}  // namespace

}  // namespace duel

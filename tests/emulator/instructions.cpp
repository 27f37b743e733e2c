#include "emulator/instructions.h"

#include "emulator/arithmetic.h"
#include "emulator/block.h"
#include "emulator/warp.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace duel {

using emulator::Location;
using emulator::WarpOperands;

namespace {

struct MmaOperands {
  std::uint32_t a[4], b[2];
  float d[4];
};

// d += a b, as tensor cores add (Fasi et al., "Numerical behavior of NVIDIA tensor cores", 2021): the products are
// exact, and they and d are cut off, not rounded, below 2^-24 of the largest one's binade, as is their sum to an f32. A
// real one may take them in several steps. Eight elements of a row side by side, in loops that vectorise.
template <int K>
void add_products(const float* a, const float (*b)[8], float (&d)[8]) {
  float largest[8], plain[8], unit[8];
  for (int column = 0; column < 8; ++column) {
    largest[column] = std::fabs(d[column]);
    plain[column] = d[column];
  }
  for (int k = 0; k < K; ++k) {
    for (int column = 0; column < 8; ++column) {
      const float product = a[k] * b[k][column], size = std::fabs(product);
      largest[column] = largest[column] < size ? size : largest[column];
      plain[column] += product;
    }
  }
  std::int32_t units[8];
  for (int column = 0; column < 8; ++column) {  // powers of 2: all exact
    const float binade = __uint_as_float(__float_as_uint(std::max(largest[column], 0x1p-60F)) & 0x7F800000);
    unit[column] = binade * 0x1p-24F;
    units[column] = static_cast<std::int32_t>(std::isfinite(plain[column]) ? d[column] / unit[column] : 0.0F);
  }
  for (int k = 0; k < K; ++k) {
    for (int column = 0; column < 8; ++column) {
      const float product = std::isfinite(plain[column]) ? a[k] * b[k][column] : 0.0F;
      units[column] += static_cast<std::int32_t>(product / unit[column]);
    }
  }
  for (int column = 0; column < 8; ++column) {
    if (!std::isfinite(plain[column])) {
      d[column] = plain[column];
      continue;
    }
    const std::uint32_t size = static_cast<std::uint32_t>(units[column] < 0 ? -units[column] : units[column]);
    const int spare = std::max(0, 8 - std::countl_zero(size));  // bits that an f32 has not
    const float value = static_cast<float>(size >> spare << spare) * unit[column];
    d[column] = units[column] < 0 ? -value : value;
  }
}

template <int K>
void compute_products(const WarpOperands& operands, const float (&a)[16][K], const float (&b)[K][8]) {
  for (int row = 0; row < 16; ++row) {
    float d[8];
    for (int column = 0; column < 8; ++column) {
      const int lane = row % 8 * 4 + column / 2;
      d[column] = operands.of<MmaOperands>(lane).d[row / 8 * 2 + column % 2];
    }
    add_products<K / 2>(a[row], b, d);
    add_products<K / 2>(a[row] + K / 2, b + K / 2, d);
    for (int column = 0; column < 8; ++column) {
      const int lane = row % 8 * 4 + column / 2;
      static_cast<float*>(operands.out[lane])[row / 8 * 2 + column % 2] = d[column];
    }
  }
}

float low_bf16(std::uint32_t pair) {
  return __uint_as_float(pair << 16);
}

float high_bf16(std::uint32_t pair) {
  return __uint_as_float(pair & 0xFFFF0000);
}

void compute_mma_bf16(const WarpOperands& operands) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& own = operands.of<MmaOperands>(lane);
    const int g = lane / 4, t = lane % 4;
    for (int r = 0; r < 4; ++r) {
      const int row = g + 8 * (r & 1), column = 2 * t + 8 * (r >> 1);
      a[row][column] = low_bf16(own.a[r]);
      a[row][column + 1] = high_bf16(own.a[r]);
    }
    for (int r = 0; r < 2; ++r) {
      const int row = 2 * t + 8 * r;
      b[row][g] = low_bf16(own.b[r]);
      b[row + 1][g] = high_bf16(own.b[r]);
    }
  }
  compute_products(operands, a, b);
}

float from_tf32(std::uint32_t bits) {  // the instruction does not look at the 13 lowest
  return __uint_as_float(bits & 0xFFFFE000);
}

void compute_mma_tf32(const WarpOperands& operands) {
  float a[16][8], b[8][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& own = operands.of<MmaOperands>(lane);
    const int g = lane / 4, t = lane % 4;
    for (int r = 0; r < 4; ++r) {
      a[g + 8 * (r & 1)][t + 4 * (r >> 1)] = from_tf32(own.a[r]);
    }
    for (int r = 0; r < 2; ++r) {
      b[t + 4 * r][g] = from_tf32(own.b[r]);
    }
  }
  compute_products(operands, a, b);
}

void mma(const char* name, emulator::WarpCompute compute, float (&d)[4], const std::uint32_t (&a)[4],
         const std::uint32_t (&b)[2], Location where) {
  MmaOperands own;
  std::memcpy(own.a, a, sizeof own.a);
  std::memcpy(own.b, b, sizeof own.b);
  std::memcpy(own.d, d, sizeof own.d);
  emulator::warp_operation(name, emulator::kAllLanes, compute, &own, d, where);
}

struct MatrixRow {
  std::uint16_t elements[8];
};

std::uint32_t pair(std::uint16_t low, std::uint16_t high) {
  return low | std::uint32_t{high} << 16;
}

void compute_load_matrices(const WarpOperands& operands) {
  for (int lane = 0; lane < 32; ++lane) {
    const int row = lane / 4, column = lane % 4 * 2;
    for (int matrix = 0; matrix < 4; ++matrix) {
      const auto& elements = operands.of<MatrixRow>(8 * matrix + row).elements;
      static_cast<std::uint32_t*>(operands.out[lane])[matrix] = pair(elements[column], elements[column + 1]);
    }
  }
}

void compute_load_transposed(const WarpOperands& operands) {
  for (int lane = 0; lane < 32; ++lane) {
    const int column = lane / 4, row = lane % 4 * 2;
    for (int matrix = 0; matrix < 4; ++matrix) {
      static_cast<std::uint32_t*>(operands.out[lane])[matrix] =
          pair(operands.of<MatrixRow>(8 * matrix + row).elements[column],
               operands.of<MatrixRow>(8 * matrix + row + 1).elements[column]);
    }
  }
}

void load(emulator::WarpCompute compute, std::uint32_t (&r)[4], const void* row, Location where) {
  {
    const emulator::Quiet quiet;
    emulator::Block& block = emulator::Block::current();
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) {
      block.fail("ldmatrix at %s:%d: the address of a row is not a multiple of 16", where.file_name(), where.line);
    }
    if (!block.shared().contains(row, sizeof(MatrixRow))) {
      block.fail("ldmatrix at %s:%d: a row is not in shared memory", where.file_name(), where.line);
    }
  }
  MatrixRow own;
  std::memcpy(&own, row, sizeof own);  // by the lane itself, so that sanitizers see who reads
  emulator::warp_operation("ldmatrix", emulator::kAllLanes, compute, &own, r, where);
}

}  // namespace

void mma_bf16(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], Location where) {
  mma("mma.m16n8k16.bf16", &compute_mma_bf16, d, a, b, where);
}

void mma_tf32(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], Location where) {
  mma("mma.m16n8k8.tf32", &compute_mma_tf32, d, a, b, where);
}

std::uint32_t to_tf32(float value) {
  const std::uint32_t bits = __float_as_uint(value);
  const bool is_finite = (bits & 0x7F800000) != 0x7F800000;
  // To nearest, ties away from zero; a carry into the exponent is right.
  return is_finite ? (bits + 0x1000) & 0xFFFFE000 : bits;
}

void load_matrices(std::uint32_t (&r)[4], const void* row, Location where) {
  load(&compute_load_matrices, r, row, where);
}

void load_transposed(std::uint32_t (&r)[4], const void* row, Location where) {
  load(&compute_load_transposed, r, row, where);
}

void cluster_barrier(Location where) {
  const emulator::Quiet quiet;
  emulator::Block::current().cluster_barrier(where);
}

void* in_cluster(const void* shared, unsigned rank, Location where) {
  const emulator::Quiet quiet;
  return emulator::Block::current().peer(shared, rank, where);
}

}  // namespace duel

// Faults in where memory is: beyond its end, misaligned, or more than there is.
#include "emulator/faults/fault.h"
#include "kernels/cuda/platform.cuh"

namespace duel::faults {

namespace {

// Volatile, or an optimiser would leave out the load whose value is not used.
__global__ void read_kernel(const volatile float* x, float* y, int count, bool is_faulty) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const bool is_inside = is_faulty ? i <= count : i < count;
  if (is_inside) {
    const float value = x[i];
    if (i < count) {
      y[i] = value;
    }
  }
}

Results global_read(bool is_faulty) {
  Numbers x(100);
  Buffer<float> y(100);
  launch(read_kernel, 2, 64, x.data(), y.data(), 100, is_faulty);
  return y.values();
}

__global__ void write_kernel(const float* x, float* y, int count, bool is_faulty) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const bool is_inside = is_faulty ? i <= count : i < count;
  if (is_inside) {
    y[i] = i < count ? x[i] : 0.0F;
  }
}

Results global_write(bool is_faulty) {
  Numbers x(100);
  Buffer<float> y(100);
  launch(write_kernel, 2, 64, x.data(), y.data(), 100, is_faulty);
  return y.values();
}

// Beyond the row, but not beyond the array: no sanitizer can know.
__global__ void right_neighbour_kernel(const float* x, float* y, int columns, bool is_faulty) {
  const int row = static_cast<int>(blockIdx.x), column = static_cast<int>(threadIdx.x);
  const bool has_neighbour = is_faulty ? column + 1 <= columns : column + 1 < columns;
  y[row * columns + column] = has_neighbour ? x[row * columns + column + 1] : 0.0F;
}

Results next_row(bool is_faulty) {
  Numbers x(8 * 32 + 1);
  Buffer<float> y(8 * 32);
  launch(right_neighbour_kernel, 8, 32, x.data(), y.data(), 32, is_faulty);
  return y.values();
}

__global__ void static_shared_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(ones, float[64]);
  const int thread = static_cast<int>(threadIdx.x);
  ones[thread] = 1.0F;
  if (is_faulty && thread + 1 == static_cast<int>(blockDim.x)) {
    ones[thread + 1] = 1.0F;
  }
  __syncthreads();
  y[thread] = ones[thread];
}

Results static_shared(bool is_faulty) {
  Buffer<float> y(64);
  launch(static_shared_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

// The row is left, the array is not.
__global__ void shared_row_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(tile, float[9][9]);
  const int thread = static_cast<int>(threadIdx.x);
  const int row = thread / 8, column = thread % 8 + (is_faulty ? 2 : 0);
  tile[row][column] = static_cast<float>(thread);
  __syncthreads();
  y[thread] = tile[row][column];
}

Results shared_row(bool is_faulty) {
  Buffer<float> y(64);
  launch(shared_row_kernel, 1, 64, y.data(), is_faulty);
  return y.values();
}

__global__ void dynamic_shared_kernel(float* y, bool is_faulty) {
  DUEL_DYNAMIC_SHARED(float, ones);
  ones[threadIdx.x] = 1.0F;
  if (is_faulty && threadIdx.x == 0) {
    ones[64] = 1.0F;
  }
  __syncthreads();
  y[threadIdx.x] = ones[threadIdx.x];
}

Results dynamic_shared(bool is_faulty) {
  Buffer<float> y(64);
  emulator::launch(dynamic_shared_kernel, 1, 64, 64 * sizeof(float), nullptr, y.data(), is_faulty);
  return y.values();
}

__global__ void vector_kernel(float* y, bool is_faulty) {
  auto* vectors = reinterpret_cast<float4*>(y + (is_faulty ? 1 : 0));
  vectors[threadIdx.x] = make_float4(1.0F, 1.0F, 1.0F, 1.0F);
}

Results misaligned_vector(bool is_faulty) {
  Buffer<float> y(4 * 32 + 4, 0.0F);
  launch(vector_kernel, 1, 32, y.data(), is_faulty);
  return {y.data()[5]};
}

// An array of floats is aligned as a float. The emulator places it so that no vector is aligned by luck.
__global__ void shared_vector_kernel(float* y, bool is_faulty) {
  DUEL_SHARED(scalars, float[128]);
  DUEL_SHARED_ALIGNED(16, vectors, float[128]);
  float* values = is_faulty ? scalars : vectors;
  reinterpret_cast<float4*>(values)[threadIdx.x] = make_float4(1.0F, 1.0F, 1.0F, 1.0F);
  __syncthreads();
  y[threadIdx.x] = values[threadIdx.x];
}

Results misaligned_shared_vector(bool is_faulty) {
  Buffer<float> y(32);
  launch(shared_vector_kernel, 1, 32, y.data(), is_faulty);
  return y.values();
}

__global__ void offset_kernel(float* y, int stride, bool is_faulty) {
  const int thread = static_cast<int>(threadIdx.x);
  const std::int64_t offset = is_faulty ? stride * thread : std::int64_t{stride} * thread;
  y[thread] = static_cast<float>(offset >> 28);
}

Results offset_overflow(bool is_faulty) {
  Buffer<float> y(32);
  launch(offset_kernel, 1, 32, y.data(), 1 << 28, is_faulty);
  return y.values();
}

__global__ void one_kernel(float* y) {
  if (threadIdx.x == 0) {
    y[0] = 1.0F;
  }
}

Results too_many_threads(bool is_faulty) {
  Buffer<float> y(1);
  launch(one_kernel, 1, is_faulty ? 1056 : 32, y.data());
  return y.values();
}

Results too_much_shared(bool is_faulty) {
  Buffer<float> y(1);
  emulator::launch(one_kernel, 1, 32, std::size_t{is_faulty ? 228U : 227U} << 10, nullptr, y.data());
  return y.values();
}

}  // namespace

std::vector<Fault> bounds_faults() {
  using enum Verdict;
  return {
      {"global_read", silence, sanitizer, silence, silence, global_read},
      {"global_write", silence, sanitizer, silence, silence, global_write},
      {"next_row", wrong, wrong, wrong, wrong, next_row},
      {"static_shared", silence, sanitizer, silence, silence, static_shared},
      {"shared_row", silence, sanitizer, silence, silence, shared_row},
      {"dynamic_shared", silence, sanitizer, silence, silence, dynamic_shared},
      {"misaligned_vector", silence, sanitizer, silence, silence, misaligned_vector},
      {"misaligned_shared_vector", silence, sanitizer, silence, silence, misaligned_shared_vector},
      {"offset_overflow", silence, sanitizer, silence, silence, offset_overflow},
      {"too_many_threads", error, error, error, error, too_many_threads},
      {"too_much_shared", error, error, error, error, too_much_shared},
  };
}

}  // namespace duel::faults

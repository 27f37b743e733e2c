// The few functions of the CUDA runtime that kernels/cuda/context.cpp calls, on host memory: one device, whose streams
// have always finished. Allocations have their exact size, so that AddressSanitizer sees every byte beyond one, and
// are filled with 0xFF, which is NaN in every float format.
#include "emulator/runtime.h"

#include <cuda_runtime_api.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>

namespace duel::emulator {

Runtime& runtime() {
  static Runtime answers;
  return answers;
}

}  // namespace duel::emulator

namespace {

using duel::emulator::runtime;

std::size_t allocated_bytes = 0;

int driver_version() {
  return runtime().driver < 0 ? CUDART_VERSION : runtime().driver;
}

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (driver_version() < CUDART_VERSION) {
    return cudaErrorInsufficientDriver;
  }
  *count = runtime().devices;
  return runtime().devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int) {
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "emulated on the CPU");
  properties->major = 9;
  properties->minor = 0;
  properties->multiProcessorCount = 3;  // few and odd, so that small arrays still meet every branch of a launcher
  properties->totalGlobalMem = runtime().memory_bytes;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = driver_version();
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total) {
  *total = runtime().memory_bytes;
  *free_bytes = *total > allocated_bytes ? *total - allocated_bytes : 0;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  std::size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  if (bytes > free_bytes || posix_memalign(data, 256, bytes) != 0) {
    *data = nullptr;
    return cudaErrorMemoryAllocation;
  }
  allocated_bytes += malloc_usable_size(*data);
  std::memset(*data, 0xFF, bytes);
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  allocated_bytes -= data == nullptr ? 0 : malloc_usable_size(data);
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t) {
  std::memset(data, value, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : error == cudaErrorMemoryAllocation ? "out of memory" : "error";
}

const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaSuccess                 ? "cudaSuccess"
         : error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation"
                                              : "cudaError";
}

}  // extern "C"

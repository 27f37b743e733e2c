// The few functions of the CUDA runtime that the project calls, on host memory; those that have to do with order are in
// stream.cpp. Allocations have their exact size, so that AddressSanitizer sees every byte beyond one, and
// are filled with 0xFF, which is NaN in every float format.
#include "emulator/runtime.h"

#include "emulator/stream.h"

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

using duel::emulator::is_capturing;
using duel::emulator::next_result;
using duel::emulator::runs_at_once;
using duel::emulator::runtime;
using duel::emulator::submit;

std::size_t allocated_bytes = 0;
void* shared_memory = nullptr;
int owners_of_shared_memory = 0;

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
  properties->clusterLaunch = runtime().has_clusters ? 1 : 0;
  properties->multiProcessorCount = runtime().multiprocessors;
  properties->totalGlobalMem = runtime().memory_bytes;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = runtime().clock_khz;
  return attribute == cudaDevAttrClockRate ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  *attributes = {};
  attributes->binaryVersion = attributes->ptxVersion = 90;
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
  *data = nullptr;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (is_capturing()) {
    return cudaErrorStreamCaptureUnsupported;
  }
  if (bytes == runtime().shared_allocation && shared_memory != nullptr) {
    *data = shared_memory;
    ++owners_of_shared_memory;
    return cudaSuccess;
  }
  std::size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  if (bytes > free_bytes || posix_memalign(data, 256, bytes) != 0) {
    *data = nullptr;
    return cudaErrorMemoryAllocation;
  }
  allocated_bytes += malloc_usable_size(*data);
  std::memset(*data, 0xFF, bytes);
  if (bytes == runtime().shared_allocation) {
    shared_memory = *data;
    owners_of_shared_memory = 1;
  }
  return cudaSuccess;
}

cudaError_t cudaFree(void* data) {
  if (data != nullptr && data == shared_memory) {
    if (--owners_of_shared_memory > 0) {
      return next_result();
    }
    shared_memory = nullptr;
  }
  allocated_bytes -= data == nullptr ? 0 : malloc_usable_size(data);
  std::free(data);
  return next_result();
}

cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned) {
  *data = nullptr;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  return posix_memalign(data, 64, bytes) == 0 ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* data) {
  std::free(data);
  return next_result();
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (runs_at_once(stream)) {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  }
  // In two halves, so that whatever changes the source meanwhile shows.
  const std::size_t half = bytes / 2;
  submit(stream, [=] { std::memcpy(to, from, half); });
  submit(stream, [=] {
    std::memcpy(static_cast<std::byte*>(to) + half, static_cast<const std::byte*>(from) + half, bytes - half);
  });
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  submit(stream, [=] { std::memset(data, value, bytes); });
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported: return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated: return "operation failed due to a previous error during capture";
    default: return "error";
  }
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    default: return "cudaError";
  }
}

}  // extern "C"

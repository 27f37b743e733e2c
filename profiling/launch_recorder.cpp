#include "profiling/launch_recorder.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace duel {

namespace {

struct State {
  std::map<const void*, std::string> names;  // by the address that the host's code launches
  std::map<std::string, std::vector<ParameterPlace>> places;
  std::vector<RecordedLaunch> launches;
};

// Kernels register themselves before main() begins.
State& state() {
  static State the_state;
  return the_state;
}

std::vector<std::uint8_t> packed(const std::vector<ParameterPlace>& places, void** arguments) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < places.size(); ++i) {
    bytes.resize(std::max(bytes.size(), places[i].offset + places[i].bytes));
    std::memcpy(bytes.data() + places[i].offset, arguments[i], places[i].bytes);
  }
  return bytes;
}

}  // namespace

void LaunchRecorder::set_parameters(std::map<std::string, std::vector<ParameterPlace>> places) {
  state().places = std::move(places);
}

std::vector<RecordedLaunch> LaunchRecorder::take() {
  return std::exchange(state().launches, {});
}

}  // namespace duel

// What nvcc's host code and the launchers call.
extern "C" {

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments) {
  const auto name = duel::state().names.find(kernel);
  if (name == duel::state().names.end()) {
    return cudaErrorInvalidDeviceFunction;
  }
  duel::RecordedLaunch launch;
  launch.kernel = name->second;
  const dim3 grid = config->gridDim, block = config->blockDim;
  std::copy_n(&grid.x, 3, launch.grid);
  std::copy_n(&block.x, 3, launch.block);
  launch.shared_bytes = config->dynamicSmemBytes;
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config->attrs[i];
    if (attribute.id == cudaLaunchAttributeProgrammaticStreamSerialization) {
      launch.overlaps_previous = attribute.val.programmaticStreamSerializationAllowed != 0;
    } else if (attribute.id == cudaLaunchAttributeClusterDimension) {
      std::copy_n(&attribute.val.clusterDim.x, 3, launch.cluster);
    }
  }
  launch.arguments = duel::packed(duel::state().places[launch.kernel], arguments);
  duel::state().launches.push_back(std::move(launch));
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void**) {}

void __cudaRegisterFunction(void**, const char* host_function, char*, const char* name, int, uint3*, uint3*, dim3*,
                            dim3*, int*) {
  duel::state().names[host_function] = name;
}

// Only kernel<<<...>>>() calls these, and the launchers never do.
cudaError_t __cudaPopCallConfiguration(dim3*, dim3*, std::size_t*, void*) {
  return cudaErrorNotSupported;
}

cudaError_t __cudaGetKernel(cudaKernel_t*, const void*) {
  return cudaErrorNotSupported;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t) {
  return cudaErrorNotSupported;
}

}  // extern "C"

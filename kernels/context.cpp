#include "kernels/context.h"

#include "kernels/check.h"
#include "kernels/choice_store.h"
#include "kernels/dispatch.h"

namespace duel {

std::unique_ptr<CpuContext, void (*)(CpuContext*)> make_cpu_context(int threads, KernelChoice choice);
std::unique_ptr<CudaContext, void (*)(CudaContext*)> make_cuda_context(int device, bool allow_tf32, KernelChoice choice,
                                                                       std::shared_ptr<ChoiceStore> store);
std::vector<KernelDecision> device_decisions(CpuContext&);
std::vector<KernelDecision> device_decisions(CudaContext&);
std::string device_name(CpuContext&);
std::string device_name(CudaContext&);
bool device_supports_bf16(CpuContext&);
bool device_supports_bf16(CudaContext&);
bool device_supports_tf32(CpuContext&);
bool device_supports_tf32(CudaContext&);
std::optional<std::size_t> device_free_bytes(CpuContext&);
std::optional<std::size_t> device_free_bytes(CudaContext&);
Context::CudaDevices find_cuda_devices();
std::vector<std::pair<std::string, std::string>> device_description(CpuContext&);
std::vector<std::pair<std::string, std::string>> device_description(CudaContext&);
void device_synchronize(CpuContext&);
void device_synchronize(CudaContext&);
std::size_t device_workspace_bytes(CpuContext&);
std::size_t device_workspace_bytes(CudaContext&);
int device_most_lanes(CpuContext&);
int device_most_lanes(CudaContext&);
DUEL_BACKENDS(device_open_lanes, int lanes, int marks);
DUEL_BACKENDS(device_select_lane, int lane);
DUEL_BACKENDS(device_set_mark, int mark);
DUEL_BACKENDS(device_await_mark, int mark);
void* device_stream(CpuContext&);
void* device_stream(CudaContext&);
void* device_allocate(CpuContext&, std::size_t bytes);
void* device_allocate(CudaContext&, std::size_t bytes);
DUEL_BACKENDS(device_release, void* data);
DUEL_BACKENDS(device_upload, void* to, const void* from, std::size_t bytes);
DUEL_BACKENDS(device_download, void* to, const void* from, std::size_t bytes);
DUEL_BACKENDS(device_clear, void* data, std::size_t bytes);

Context Context::cpu(int threads, KernelChoice choice) {
  return Context(make_cpu_context(threads, choice));
}

Context Context::cuda(int device, [[maybe_unused]] bool allow_tf32, [[maybe_unused]] KernelChoice choice,
                      [[maybe_unused]] std::shared_ptr<ChoiceStore> store) {
  if constexpr (kHasCuda) {
    return Context(make_cuda_context(device, allow_tf32, choice, std::move(store)));
  }
  throw_error(Error::Kind::device, "cuda:{}: this build of duel has no CUDA; build it with -DDUEL_CUDA=ON", device);
}

bool Context::has_cuda() {
  return kHasCuda;
}

Context::CudaDevices Context::cuda_devices() {
  if constexpr (kHasCuda) {
    return find_cuda_devices();
  }
  return {{}, "this build of duel has no CUDA; build it with -DDUEL_CUDA=ON"};
}

std::string Context::name() {
  return run([](auto& device) { return device_name(device); });
}

bool Context::supports_bf16() {
  return run([](auto& device) { return device_supports_bf16(device); });
}

bool Context::supports_tf32() {
  return run([](auto& device) { return device_supports_tf32(device); });
}

std::optional<std::size_t> Context::free_bytes() {
  return run([](auto& device) { return device_free_bytes(device); });
}

void Context::synchronize() {
  run([](auto& device) { device_synchronize(device); });
}

std::size_t Context::workspace_bytes() {
  return run([](auto& device) { return device_workspace_bytes(device); });
}

std::vector<std::pair<std::string, std::string>> Context::describe() {
  return run([](auto& device) { return device_description(device); });
}

std::vector<KernelDecision> Context::kernel_decisions() {
  return run([](auto& device) { return device_decisions(device); });
}

int Context::most_lanes() {
  return run([](auto& device) { return device_most_lanes(device); });
}

void Context::open_lanes(int lanes, int marks) {
  check(lanes >= 1 && lanes <= most_lanes(), "context: {} lanes are asked for, but {} has {}", lanes, name(),
        most_lanes());
  run([&](auto& device) { device_open_lanes(device, lanes, marks); });
}

void Context::select_lane(int lane) {
  run([&](auto& device) { device_select_lane(device, lane); });
}

void Context::set_mark(int mark) {
  run([&](auto& device) { device_set_mark(device, mark); });
}

void Context::await_mark(int mark) {
  run([&](auto& device) { device_await_mark(device, mark); });
}

void* Context::native_stream() {
  return run([](auto& device) { return device_stream(device); });
}

void* Context::allocate(std::size_t bytes) {
  return run([&](auto& device) { return device_allocate(device, bytes); });
}

void Context::release(void* data) {
  run([&](auto& device) { device_release(device, data); });
}

void Context::upload(void* to, const void* from, std::size_t bytes) {
  run([&](auto& device) { device_upload(device, to, from, bytes); });
}

void Context::download(void* to, const void* from, std::size_t bytes) {
  run([&](auto& device) { device_download(device, to, from, bytes); });
}

void Context::clear(void* data, std::size_t bytes) {
  run([&](auto& device) { device_clear(device, data, bytes); });
}

}  // namespace duel

#include "kernels/cuda/context.h"

#include "kernels/check.h"
#include "kernels/context.h"
#include "kernels/cuda/built_for.h"

#include <memory>
#include <utility>
#include <vector>

namespace duel {

void check_cuda(cudaError_t result, const char* what) {
  if (result != cudaSuccess) {
    throw_error(Error::Kind::device, "{}: {} ({})", what, cudaGetErrorString(result), cudaGetErrorName(result));
  }
}

namespace {

// Raised where a kernel of ours becomes quicker or slower, so that choices are measured again.
constexpr int kKernelsVersion = 3;

// How many GPUs there are; where there is none, `why_none` says why.
int count_devices(std::string& why_none) {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result == cudaSuccess && count > 0) {
    return count;
  }
  cudaGetLastError();  // not sticky: a later check must not report it again
  if (result == cudaSuccess || result == cudaErrorNoDevice) {
    why_none = "no GPU was found";
  } else if (result == cudaErrorInsufficientDriver) {
    int driver = 0, runtime = 0;
    const bool is_known =
        cudaDriverGetVersion(&driver) == cudaSuccess && cudaRuntimeGetVersion(&runtime) == cudaSuccess;
    why_none = !is_known || driver == 0
                   ? "no NVIDIA driver is installed"
                   : fmt::format("the driver supports CUDA {}.{}, but this binary was built with {}.{}", driver / 1000,
                                 driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
  } else {
    why_none = fmt::format("{} ({})", cudaGetErrorString(result), cudaGetErrorName(result));
  }
  return 0;
}

}  // namespace

void* allocate_cuda(std::size_t bytes, const char* what) {
  void* data = nullptr;
  const cudaError_t result = cudaMalloc(&data, bytes == 0 ? 1 : bytes);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // not sticky: the next call must not report it again
    std::size_t free_bytes = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &total), "cuda: asking how much memory is free");
    throw_error(Error::Kind::device, "cuda: {} of {} bytes ({:.1f} MiB) do not fit: {:.1f} of {:.1f} MiB are free",
                what, bytes, static_cast<double>(bytes) / 0x1p20, static_cast<double>(free_bytes) / 0x1p20,
                static_cast<double>(total) / 0x1p20);
  }
  check_cuda(result, what);
  return data;
}

CudaContext::CudaContext(int device, bool allow_tf32, KernelChoice choice, std::shared_ptr<ChoiceStore> store)
    : device_(device), allow_tf32_(allow_tf32) {
  std::string why_none;
  const int count = count_devices(why_none);
  if (count == 0) {
    throw_error(Error::Kind::device, "cuda:{}: {}; use --device cpu", device, why_none);
  }
  if (device < 0 || device >= count) {
    throw_error(Error::Kind::device, "cuda:{}: there {} {} GPU{}, so the device must be 0{}", device,
                count == 1 ? "is" : "are", count, count == 1 ? "" : "s",
                count == 1 ? "" : fmt::format(" to {}", count - 1));
  }
  check_cuda(cudaSetDevice(device), "cuda: choosing the device");
  vendor_ = std::make_unique<Vendor>(choice != KernelChoice::ours);  // loads libraries, now that there is a GPU
  if (choice == KernelChoice::vendor && !vendor_->has_any()) {
    throw_error(Error::Kind::device, "cuda:{}: the vendor's kernels are asked for, but {}; use --kernels ours", device,
                vendor_->why_none());
  }
  choices_ = std::make_unique<Choices>(vendor_->has_any() ? choice : KernelChoice::ours, std::move(store));
  try {
    check_cuda(cudaGetDeviceProperties(&properties_, device), "cuda: reading the device's properties");
    runs_clusters_ = properties_.clusterLaunch != 0 && built_for() >= 90;
    open_lanes(1, 0);
    select_lane(0);
  } catch (const Error&) {
    release();
    throw;
  }
}

CudaContext::~CudaContext() {
  release();
}

void CudaContext::release() noexcept {
  cudaSetDevice(device_);
  lanes_.clear();
  for (const cudaEvent_t mark : marks_) {
    cudaEventDestroy(mark);
  }
}

std::string CudaContext::identity() const {
  int driver = 0;
  check_cuda(cudaDriverGetVersion(&driver), "cuda: asking for the driver's version");
  std::string text =
      fmt::format("{}, {} multiprocessors, driver {}.{}, {}", properties_.name, properties_.multiProcessorCount,
                  driver / 1000, driver % 1000 / 10, allow_tf32_ ? "tf32" : "no tf32");
  for (const auto& [name, version] : vendor_->versions()) {
    text += fmt::format(", {} {}", name, version);
  }
  return text + fmt::format(", duel {}", kKernelsVersion);
}

void CudaContext::reserve_scratch(std::size_t bytes) {
  for (const auto& lane : lanes_) {
    lane->reserve_scratch(bytes);
  }
}

std::size_t CudaContext::workspace_bytes() const {
  std::size_t bytes = 0;
  for (const auto& lane : lanes_) {
    bytes += lane->workspace_bytes();
  }
  return bytes;
}

void CudaContext::open_lanes(int lanes, int marks) {
  const int lanes_before = this->lanes();
  while (static_cast<int>(lanes_.size()) < lanes) {
    lanes_.push_back(std::make_unique<CudaLane>(lanes_.empty() ? 0 : lanes_.front()->scratch_bytes()));
  }
  while (static_cast<int>(marks_.size()) < marks) {
    cudaEvent_t mark = nullptr;
    check_cuda(cudaEventCreateWithFlags(&mark, cudaEventDisableTiming), "cuda: making an event");
    marks_.push_back(mark);
  }
  choices_->run_on_new_lanes(*this, lanes_before);
}

bool CudaContext::has_clocks() const {
  int khz = 0;
  check_cuda(cudaDeviceGetAttribute(&khz, cudaDevAttrClockRate, device_), "cuda: asking for the clock rate");
  return khz > 0;
}

void CudaContext::select_lane(int lane) {
  selected_lane_ = lane;
  lane_ = lanes_[static_cast<std::size_t>(lane)].get();
}

void CudaContext::set_mark(int mark) {
  check_cuda(cudaEventRecord(marks_[static_cast<std::size_t>(mark)], stream()), "cuda: marking a lane");
}

void CudaContext::await_mark(int mark) {
  check_cuda(cudaStreamWaitEvent(stream(), marks_[static_cast<std::size_t>(mark)], 0), "cuda: ordering two lanes");
}

void CudaContext::synchronize() {
  for (const auto& lane : lanes_) {
    check_cuda(cudaStreamSynchronize(lane->stream()), "cuda: waiting for the device");
  }
}

std::unique_ptr<CudaContext, void (*)(CudaContext*)> make_cuda_context(int device, bool allow_tf32, KernelChoice choice,
                                                                       std::shared_ptr<ChoiceStore> store) {
  return {new CudaContext(device, allow_tf32, choice, std::move(store)), [](CudaContext* context) { delete context; }};
}

Context::CudaDevices find_cuda_devices() {
  Context::CudaDevices devices;
  const int count = count_devices(devices.why_none);
  for (int device = 0; device < count; ++device) {
    cudaDeviceProp properties{};
    const cudaError_t result = cudaGetDeviceProperties(&properties, device);
    devices.names.push_back(
        result == cudaSuccess
            ? fmt::format("{}, compute capability {}.{}", properties.name, properties.major, properties.minor)
            : fmt::format("its properties cannot be read: {}", cudaGetErrorString(result)));
  }
  return devices;
}

std::string device_name(CudaContext& context) {
  return fmt::format("cuda:{} ({})", context.device(), context.properties().name);
}

bool device_supports_bf16(CudaContext& context) {
  return context.compute_capability() >= 80;
}

bool device_supports_tf32(CudaContext& context) {
  return context.allows_tf32() && context.compute_capability() >= 80;
}

std::optional<std::size_t> device_free_bytes(CudaContext& context) {
  std::size_t free_bytes = 0, total = 0;
  check_cuda(cudaSetDevice(context.device()), "cuda: choosing the device");
  check_cuda(cudaMemGetInfo(&free_bytes, &total), "cuda: asking how much memory is free");
  return free_bytes;
}

std::vector<std::pair<std::string, std::string>> device_description(CudaContext& context) {
  int driver = 0, runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "cuda: asking for the driver's version");
  check_cuda(cudaRuntimeGetVersion(&runtime), "cuda: asking for the runtime's version");
  const cudaDeviceProp& device = context.properties();
  std::vector<std::pair<std::string, std::string>> facts = {
      {"gpu",
       fmt::format("{}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB", device.name, device.major,
                   device.minor, device.multiProcessorCount, static_cast<double>(device.totalGlobalMem) / 0x1p30)},
      {"cuda", fmt::format("runtime {}.{}, driver for {}.{}", runtime / 1000, runtime % 1000 / 10, driver / 1000,
                           driver % 1000 / 10)},
      {"tf32", context.allows_tf32() ? "allowed" : "off"}};
  for (auto& version : context.vendor().versions()) {
    facts.push_back(std::move(version));
  }
  return facts;
}

void device_synchronize(CudaContext& context) {
  context.synchronize();
}

int device_most_lanes(CudaContext&) {
  return CudaContext::kMostLanes;
}

void device_open_lanes(CudaContext& context, int lanes, int marks) {
  context.open_lanes(lanes, marks);
}

void device_select_lane(CudaContext& context, int lane) {
  context.select_lane(lane);
}

void device_set_mark(CudaContext& context, int mark) {
  context.set_mark(mark);
}

void device_await_mark(CudaContext& context, int mark) {
  context.await_mark(mark);
}

std::size_t device_workspace_bytes(CudaContext& context) {
  return context.workspace_bytes();
}

std::vector<KernelDecision> device_decisions(CudaContext& context) {
  return context.choices().decisions();
}

void* device_stream(CudaContext& context) {
  return context.first_stream();
}

void* device_allocate(CudaContext& context, std::size_t bytes) {
  check_cuda(cudaSetDevice(context.device()), "cuda: choosing the device");
  return allocate_cuda(bytes, "an allocation");
}

void device_release(CudaContext&, void* data) {
  cudaFree(data);  // waits for the device by itself; called by destructors, so it must not throw
}

void device_upload(CudaContext& context, void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, context.stream()), "cuda: uploading");
  device_synchronize(context);
}

void device_download(CudaContext& context, void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, context.stream()), "cuda: downloading");
  device_synchronize(context);
}

void device_clear(CudaContext& context, void* data, std::size_t bytes) {
  check_cuda(cudaMemsetAsync(data, 0, bytes, context.stream()), "cuda: clearing memory");
}

}  // namespace duel

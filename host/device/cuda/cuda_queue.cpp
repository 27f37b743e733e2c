#include "host/device/cuda/cuda_queue.h"

#include "host/device/cuda/runtime_check.h"
#include "host/device/make_cuda_queue.h"
#include "kernels/range.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

// Of several steps: groups of the usual size, from each place of the cycle, and what is left of one before a sheet or a
// checkpoint is due. Beyond so many and the cycle, a group is launched step by step.
constexpr std::ptrdiff_t kMostGraphs = 7;

}  // namespace

CudaQueue::CudaQueue(Context& context, bool graphs) : graphs_(graphs) {
  streams_[static_cast<int>(Stream::compute)] = static_cast<cudaStream_t>(context.native_stream());
  try {
    for (const Stream own : {Stream::upload, Stream::download}) {
      check_runtime(cudaStreamCreateWithFlags(&streams_[static_cast<int>(own)], cudaStreamNonBlocking),
                    "making a stream for copies");
    }
  } catch (const Error&) {
    release();
    throw;
  }
}

CudaQueue::~CudaQueue() {
  release();
}

// Errors are of no use here: the device is lost, or the process ends.
void CudaQueue::release() noexcept {
  for (const cudaStream_t each : streams_) {
    if (each != nullptr) {
      cudaStreamSynchronize(each);
    }
  }
  for (const Captured& work : work_) {
    for (const Graph& graph : work.graphs) {
      cudaGraphExecDestroy(graph.executable);
    }
  }
  for (const cudaEvent_t event : events_) {
    cudaEventDestroy(event);
  }
  for (void* const memory : pinned_) {
    cudaFreeHost(memory);
  }
  for (const Stream own : {Stream::upload, Stream::download}) {
    if (stream(own) != nullptr) {
      cudaStreamDestroy(stream(own));
    }
  }
}

DeviceQueue::Event CudaQueue::make_event() {
  // Blocking: the host's thread sleeps while it waits. Spinning would save microseconds of a wait that is long.
  cudaEvent_t event = nullptr;
  check_runtime(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync), "making an event");
  events_.push_back(event);
  return static_cast<Event>(events_.size()) - 1;
}

std::byte* CudaQueue::allocate_pinned(std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t result = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // not sticky: the next call must not report it again
    throw_error(Error::Kind::device, "cuda: {} bytes ({:.1f} MiB) of pinned host memory are not to be had", bytes,
                static_cast<double>(bytes) / 0x1p20);
  }
  check_runtime(result, "allocating pinned memory");
  pinned_.push_back(memory);
  return static_cast<std::byte*>(memory);
}

DeviceQueue::Work CudaQueue::add_cycle(StepCycle steps) {
  work_.push_back({std::move(steps), {}});
  return static_cast<Work>(work_.size()) - 1;
}

void CudaQueue::record(Event event, Stream on) {
  check_runtime(cudaEventRecord(events_[static_cast<std::size_t>(event)], stream(on)), "recording an event");
}

void CudaQueue::wait(Stream waiting, Event event) {
  check_runtime(cudaStreamWaitEvent(stream(waiting), events_[static_cast<std::size_t>(event)], 0),
                "making a stream wait for an event");
}

bool CudaQueue::is_done(Event event) {
  const cudaError_t result = cudaEventQuery(events_[static_cast<std::size_t>(event)]);
  if (result == cudaErrorNotReady) {
    return false;
  }
  check_runtime(result, "asking for an event");
  return true;
}

void CudaQueue::wait(Event event) {
  check_runtime(cudaEventSynchronize(events_[static_cast<std::size_t>(event)]), "waiting for the device");
}

void CudaQueue::upload(void* device, const void* pinned, std::size_t bytes) {
  const Range range("upload");
  check_runtime(cudaMemcpyAsync(device, pinned, bytes, cudaMemcpyHostToDevice, stream(Stream::upload)),
                "uploading a batch", bytes);
}

void CudaQueue::download(void* pinned, const void* device, std::size_t bytes) {
  check_runtime(cudaMemcpyAsync(pinned, device, bytes, cudaMemcpyDeviceToHost, stream(Stream::download)), "downloading",
                bytes);
}

void CudaQueue::copy(void* to, const void* from, std::size_t bytes) {
  const Range range("copy");
  check_runtime(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream(Stream::compute)),
                "copying on the device", bytes);
}

void CudaQueue::launch(Work number, int steps, int place) {
  Captured& work = work_[static_cast<std::size_t>(number)];
  if (!graphs_) {
    for (int i = 0; i < steps; ++i) {
      const Range range("step");
      work.steps.queue(1, (place + i) % work.steps.cycle);
    }
    return;
  }
  const cudaGraphExec_t whole = graph_of(work, steps, place);
  if (whole != nullptr) {
    const Range range("launch");
    check_runtime(cudaGraphLaunch(whole, stream(Stream::compute)), "launching captured steps");
    return;
  }
  for (int i = 0; i < steps; ++i) {
    const cudaGraphExec_t one = graph_of(work, 1, (place + i) % work.steps.cycle);
    const Range range("launch");
    check_runtime(cudaGraphLaunch(one, stream(Stream::compute)), "launching a captured step");
  }
}

// Null where there are too many of several steps already; of a single step there is always one.
cudaGraphExec_t CudaQueue::graph_of(Captured& work, int steps, int place) {
  const auto found = std::find_if(work.graphs.begin(), work.graphs.end(),
                                  [&](const Graph& g) { return g.steps == steps && g.place == place; });
  if (found != work.graphs.end()) {
    return found->executable;
  }
  const auto longer = std::count_if(work.graphs.begin(), work.graphs.end(), [](const Graph& g) { return g.steps > 1; });
  if (steps > 1 && longer >= kMostGraphs + work.steps.cycle) {
    return nullptr;
  }
  const Range range("capture");
  const cudaGraph_t graph = capture(work.steps, steps, place);
  cudaGraphExec_t executable = nullptr;
  const cudaError_t result = cudaGraphInstantiate(&executable, graph, 0);
  const cudaError_t destroyed = cudaGraphDestroy(graph);
  check_runtime(result, "instantiating captured steps");
  work.graphs.push_back({steps, place, executable});
  check_runtime(destroyed, "releasing captured steps");
  check_runtime(cudaGraphUpload(executable, stream(Stream::compute)), "uploading captured steps");
  return executable;
}

cudaGraph_t CudaQueue::capture(const StepCycle& cycle, int steps, int place) {
  // Thread-local: other threads of the process may use CUDA meanwhile; this one must not but for queueing.
  check_runtime(cudaStreamBeginCapture(stream(Stream::compute), cudaStreamCaptureModeThreadLocal),
                "beginning to capture steps");
  cudaGraph_t graph = nullptr;
  try {
    cycle.queue(steps, place);
  } catch (...) {
    if (cudaStreamEndCapture(stream(Stream::compute), &graph) == cudaSuccess && graph != nullptr) {
      cudaGraphDestroy(graph);
    }
    cudaGetLastError();
    throw;
  }
  check_runtime(cudaStreamEndCapture(stream(Stream::compute), &graph), "capturing steps");
  return graph;
}

std::unique_ptr<DeviceQueue> make_cuda_queue(Context& context, bool graphs) {
  return std::make_unique<CudaQueue>(context, graphs);
}

}  // namespace duel

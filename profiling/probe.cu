// duel_probe: what a GPU and its driver give at most, whatever runs there: bandwidth of memory and of L2, one loop of
// products, and the time that passes between the nodes of a captured graph, on one lane and on two. Prints one line of
// JSON, for `duel roofline --ceilings FILE.json`. Needs the CUDA runtime alone. Takes about 3 seconds.
//
// Exit codes: 0; 1 a call of CUDA's failed; 4 there is no device.
#include "profiling/probe_figures.h"
#include "profiling/probe_kernels.cuh"

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>

namespace duel {

namespace {

constexpr int kNodes = 100;   // of a graph
constexpr int kWindows = 15;  // the median of so many counts
constexpr double kWindowMilliseconds = 20, kWarmSeconds = 0.4;
constexpr std::size_t kCopyBytes = std::size_t{1} << 30;  // far larger than any L2
constexpr std::size_t kL2Bytes = std::size_t{16} << 20;   // fits in one
constexpr int kReadBlocks = 1 << 7, kReadPasses = 64;     // 16 MiB in 128 slices of 128 KiB
constexpr int kMmaRounds = 2048;
constexpr int kNoDevice = 4;

struct NoDevice : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void check(cudaError_t result, const char* what) {
  if (result != cudaSuccess) {
    throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(result));
  }
}

class Stream {
public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  operator cudaStream_t() const { return stream_; }

private:
  cudaStream_t stream_ = nullptr;
};

class Event {
public:
  explicit Event(unsigned flags = cudaEventDefault) {
    check(cudaEventCreateWithFlags(&event_, flags), "making an event");
  }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  operator cudaEvent_t() const { return event_; }

private:
  cudaEvent_t event_ = nullptr;
};

template <class T>
class Array {
public:
  explicit Array(std::size_t count) { check(cudaMalloc(&data_, count * sizeof(T)), "taking memory"); }
  ~Array() { cudaFree(data_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  T* data() const { return static_cast<T*>(data_); }

private:
  void* data_ = nullptr;
};

template <class... Parameters>
void launch(void (*kernel)(Parameters...), int blocks, cudaStream_t stream, bool overlaps, Parameters... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(blocks));
  config.blockDim = dim3(kProbeThreads);
  config.stream = stream;
  cudaLaunchAttribute overlap{};
  overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  overlap.val.programmaticStreamSerializationAllowed = 1;
  config.attrs = &overlap;
  config.numAttrs = overlaps ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, arguments...), "launching");
}

// Milliseconds of a call, between events: the median of windows of calls enough that the clock and the first launch do
// not count.
double time_call(cudaStream_t stream, const std::function<void()>& call) {
  const Event begin, end;
  const auto window = [&](int calls) {
    check(cudaEventRecord(begin, stream), "recording");
    for (int i = 0; i < calls; ++i) {
      call();
    }
    check(cudaEventRecord(end, stream), "recording");
    check(cudaEventSynchronize(end), "waiting");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin, end), "reading the time");
    return static_cast<double>(milliseconds) / calls;
  };
  window(3);
  const double once = std::max(1e-4, window(3));
  const int calls = std::clamp(static_cast<int>(kWindowMilliseconds / once), 3, 2000);
  std::vector<double> times;
  for (int i = 0; i < kWindows; ++i) {
    times.push_back(window(calls));
  }
  return median(std::move(times));
}

class Graph {
public:
  // What `record` queues on the first of two streams, and on the second from where it awaits the first.
  Graph(const Stream& stream, const std::function<void()>& record) : stream_(stream) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
    record();
    cudaGraph_t graph = nullptr;
    check(cudaStreamEndCapture(stream, &graph), "capturing");
    const cudaError_t result = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check(result, "making a graph");
  }
  ~Graph() { cudaGraphExecDestroy(executable_); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  double microseconds() const {
    return 1e3 * time_call(stream_, [&] { check(cudaGraphLaunch(executable_, stream_), "launching a graph"); });
  }

private:
  const Stream& stream_;
  cudaGraphExec_t executable_ = nullptr;
};

enum class Chain { plain, overlapped, two_lanes, handed_over };

// Microseconds of a graph of so many empty kernels in a row, of one wave of blocks each; on two lanes as many on
// either.
double graph_microseconds(Chain chain, int nodes, int blocks) {
  const Stream lanes[2];
  std::vector<std::unique_ptr<Event>> events;
  const auto mark = [&](int lane) {
    events.push_back(std::make_unique<Event>(cudaEventDisableTiming));
    check(cudaEventRecord(*events.back(), lanes[lane]), "marking");
    return static_cast<cudaEvent_t>(*events.back());
  };
  const auto await = [&](int lane, cudaEvent_t event) {
    check(cudaStreamWaitEvent(lanes[lane], event, 0), "awaiting");
  };
  const bool is_overlapped = chain == Chain::overlapped;
  const int used = chain == Chain::two_lanes || chain == Chain::handed_over ? 2 : 1;
  const Graph graph(lanes[0], [&] {
    if (used == 2) {
      await(1, mark(0));
    }
    for (int node = 0; node < nodes; ++node) {
      for (int lane = 0; lane < used; ++lane) {
        launch(is_overlapped ? overlapped_kernel : empty_kernel, blocks, lanes[lane], is_overlapped);
      }
      if (chain == Chain::handed_over) {
        const cudaEvent_t first = mark(0), second = mark(1);
        await(0, second);
        await(1, first);
      }
    }
    if (used == 2) {
      await(0, mark(1));
    }
  });
  return graph.microseconds();
}

double node_microseconds(Chain chain, int blocks) {
  return time_per_link(graph_microseconds(chain, kNodes, blocks), graph_microseconds(chain, 2 * kNodes, blocks),
                       kNodes);
}

// Clocks rise with the load: what is measured first would be measured at those of an idle device.
void warm_up(const Stream& stream, int blocks, bool has_mma) {
  const Array<float> seen(static_cast<std::size_t>(blocks) * kProbeThreads);
  const Array<std::uint32_t> words(kL2Bytes / 4);
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < kWarmSeconds) {
    if (has_mma) {
      launch(mma_kernel, blocks, stream, false, kMmaRounds, seen.data());
    }
    launch(fill_kernel, blocks, stream, false, words.data(), static_cast<std::int64_t>(kL2Bytes / 4));
    check(cudaStreamSynchronize(stream), "warming up");
  }
}

double measure_copy(const Stream& stream, int blocks) {
  const Array<std::uint32_t> from(kCopyBytes / 4), to(kCopyBytes / 4);
  launch(fill_kernel, blocks, stream, false, from.data(), static_cast<std::int64_t>(kCopyBytes / 4));
  const double milliseconds = time_call(stream, [&] {
    check(cudaMemcpyAsync(to.data(), from.data(), kCopyBytes, cudaMemcpyDeviceToDevice, stream), "copying");
  });
  return gigabytes_per_second(2.0 * kCopyBytes, milliseconds);
}

template <bool PastL1>
double measure_l2(const Stream& stream, int multiprocessors) {
  constexpr int kVectors = kL2Bytes / sizeof(uint4);
  static_assert(kVectors % (kReadBlocks * kProbeThreads * kLoads) == 0);
  // As many blocks as fill the device, a power of two of them, so that slices are equal.
  int blocks = kReadBlocks;
  while (blocks < 4 * multiprocessors && kVectors % (2 * blocks * kProbeThreads * kLoads) == 0) {
    blocks *= 2;
  }
  const Array<std::uint32_t> words(kL2Bytes / 4), seen(static_cast<std::size_t>(blocks) * kProbeThreads);
  launch(fill_kernel, blocks, stream, false, words.data(), static_cast<std::int64_t>(kL2Bytes / 4));
  const double milliseconds = time_call(stream, [&] {
    launch<const uint4*, int, int, std::uint32_t*>(read_kernel<PastL1>, blocks, stream, false,
                                                   reinterpret_cast<const uint4*>(words.data()), kVectors, kReadPasses,
                                                   seen.data());
  });
  return gigabytes_per_second(static_cast<double>(kReadPasses) * kL2Bytes, milliseconds);
}

double measure_mma(const Stream& stream, int blocks) {
  const Array<float> seen(static_cast<std::size_t>(blocks) * kProbeThreads);
  const double milliseconds =
      time_call(stream, [&] { launch(mma_kernel, blocks, stream, false, kMmaRounds, seen.data()); });
  return teraflops(kMmaOperations * kSums * kMmaRounds * blocks * (kProbeThreads / 32), milliseconds);
}

ProbeFigures probe() {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess || count == 0) {
    throw NoDevice(result == cudaSuccess ? "CUDA sees none" : cudaGetErrorString(result));
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0), "asking for the device");
  const int multiprocessors = properties.multiProcessorCount, capability = 10 * properties.major + properties.minor;
  const int blocks = 2 * multiprocessors;  // of 8 warps: 16 warps and 128 sums a multiprocessor
  const Stream stream;
  warm_up(stream, blocks, capability >= 80);
  ProbeFigures figures;
  figures.device = properties.name;
  figures.bf16_mma_tflops = capability >= 80 ? measure_mma(stream, blocks) : 0;
  figures.l2_cg_gigabytes_per_second = measure_l2<true>(stream, multiprocessors);
  figures.l2_ca_gigabytes_per_second = measure_l2<false>(stream, multiprocessors);
  figures.copy_gigabytes_per_second = measure_copy(stream, blocks);
  figures.node_us = node_microseconds(Chain::plain, multiprocessors);
  figures.node_overlapped_us = capability >= 90 ? node_microseconds(Chain::overlapped, multiprocessors) : 0;
  figures.two_lanes_node_us = node_microseconds(Chain::two_lanes, multiprocessors);
  figures.handover_us =
      std::max(0.0, node_microseconds(Chain::handed_over, multiprocessors) - figures.two_lanes_node_us);
  return figures;
}

}  // namespace

}  // namespace duel

int main() {
  try {
    std::printf("%s\n", duel::to_json(duel::probe()).c_str());
    return 0;
  } catch (const duel::NoDevice& error) {
    std::fprintf(stderr, "duel_probe: no device: %s\n", error.what());
    return duel::kNoDevice;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "duel_probe: %s\n", error.what());
    return 1;
  }
}

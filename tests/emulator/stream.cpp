// The part of the CUDA runtime that has to do with order: streams, events, capture, graphs.
#include "emulator/stream.h"

#include "emulator/error.h"
#include "emulator/graph.h"
#include "emulator/runtime.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using duel::emulator::Capture;
using duel::emulator::Doing;
using duel::emulator::Work;

// What CUDA's handles point at; its headers only declare these.
struct CUevent_st {
  int recorded = 0, done = 0;        // numbers of recordings: by the host, reached by the device
  std::shared_ptr<Capture> capture;  // where it was last recorded while a stream was captured
  std::vector<std::size_t> tail;     // what the stream had been given last, then
};
struct CUstream_st {
  struct Operation {
    Work work;
    cudaEvent_t waits_for = nullptr;  // runs after that event's recording number `recording`
    int recording = 0;
  };
  std::deque<Operation> queue;
  Doing doing;                       // the operation that has begun
  std::shared_ptr<Capture> capture;  // while it is captured
  std::vector<std::size_t> tail;     // nodes that what comes next has to follow

  bool is_idle() const { return queue.empty() && !doing; }
};

namespace duel::emulator {

namespace {

// Never destroyed: contexts of static storage outlive everything here.
std::vector<cudaStream_t>& streams() {
  static auto& list = *new std::vector<cudaStream_t>;
  return list;
}

bool can_run(const CUstream_st& stream) {
  if (stream.doing || stream.queue.empty()) {
    return static_cast<bool>(stream.doing);
  }
  const CUstream_st::Operation& next = stream.queue.front();
  return next.waits_for == nullptr || next.waits_for->done >= next.recording;
}

std::mt19937_64& random() {
  static std::mt19937_64 generator;
  static std::uint64_t seed = 0;
  if (seed != runtime().late_seed) {
    seed = runtime().late_seed;
    generator.seed(seed);
  }
  return generator;
}

// A part of what a stream has to do; not its own any more while it runs, so that it is gone where it throws.
void go_on(CUstream_st& stream) {
  Doing doing = std::exchange(stream.doing, {});
  if (!doing) {
    const Work work = std::move(stream.queue.front().work);
    stream.queue.pop_front();
    doing = work();
  }
  if (doing()) {
    stream.doing = std::move(doing);
  }
}

// A part of an operation of a stream chosen by chance; false where none can run.
bool run_one() {
  const std::vector<cudaStream_t>& all = streams();
  const std::size_t first = all.empty() ? 0 : random()() % all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CUstream_st& stream = *all[(first + i) % all.size()];
    if (can_run(stream)) {
      go_on(stream);
      return true;
    }
  }
  return false;
}

// Mostly nothing, so that work piles up; now and then a lot.
void run_some() {
  if (runtime().late_seed == 0) {
    while (run_one()) {
    }
    return;
  }
  const std::uint64_t draw = random()() % 8;
  for (std::uint64_t i = draw < 5 ? 0 : draw == 7 ? random()() % 64 : 1; i > 0 && run_one(); --i) {
  }
}

template <class Condition>
void run_until(Condition is_reached, const char* what) {
  while (!is_reached()) {
    if (!run_one()) {
      throw Error("%s waits for ever: no stream can go on", what);
    }
  }
}

void push(cudaStream_t stream, CUstream_st::Operation operation) {
  stream->queue.push_back(std::move(operation));
  run_some();
}

Work in_one_piece(std::function<void()> whole) {
  return [whole = std::move(whole)]() -> Doing {
    return [whole] {
      whole();
      return false;
    };
  };
}

}  // namespace

std::uint64_t draw(std::uint64_t count) {
  return runtime().late_seed == 0 ? 0 : random()() % count;
}

bool runs_at_once(cudaStream_t stream) {
  return stream == nullptr || (runtime().late_seed == 0 && !stream->capture && stream->is_idle());
}

void submit_in_parts(cudaStream_t stream, Work work) {
  if (runs_at_once(stream)) {
    for (const Doing doing = work(); doing();) {
    }
  } else if (stream->capture) {
    stream->tail = {stream->capture->add(std::move(work), stream->tail)};
  } else {
    push(stream, {std::move(work)});
  }
}

void submit(cudaStream_t stream, std::function<void()> whole) {
  submit_in_parts(stream, in_one_piece(std::move(whole)));
}

bool is_capturing() {
  for (const cudaStream_t stream : streams()) {
    if (stream->capture) {
      stream->capture->is_invalid = true;
      return true;
    }
  }
  return false;
}

cudaError_t next_result() {
  Runtime& answers = runtime();
  ++answers.calls;
  if (answers.calls_until_lost > 0 && --answers.calls_until_lost == 0) {
    answers.lost = cudaErrorLaunchFailure;
  }
  return static_cast<cudaError_t>(answers.lost);
}

}  // namespace duel::emulator

namespace {

using namespace duel::emulator;  // NOLINT: this file is its implementation

cudaError_t invalidate(Capture& capture, cudaError_t result) {
  capture.is_invalid = true;
  return result;
}

cudaError_t refuse_while_captured(cudaStream_t stream) {
  return stream != nullptr && stream->capture ? invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported)
                                              : cudaSuccess;
}

// The host cannot ask for what will only run when a graph is launched.
cudaError_t refuse_captured(cudaEvent_t event) {
  return event->capture ? invalidate(*event->capture, cudaErrorCapturedEvent) : cudaSuccess;
}

// `stream` waits for an event that was recorded in a capture, which it joins.
cudaError_t wait_in_capture(CUstream_st& stream, cudaStream_t handle, const CUevent_st& event) {
  const std::shared_ptr<Capture>& capture = event.capture;
  if (capture->has_ended) {
    return cudaErrorCapturedEvent;
  }
  if (stream.capture && stream.capture != capture) {
    capture->is_invalid = true;
    return invalidate(*stream.capture, cudaErrorStreamCaptureMerge);
  }
  if (!stream.capture) {
    stream.capture = capture;
    stream.tail.clear();
    capture->streams.push_back(handle);
  }
  if (runtime().ignores_stream_waits) {
    capture->forgives_forks = true;
    return cudaSuccess;
  }
  for (const std::size_t node : event.tail) {
    if (std::find(stream.tail.begin(), stream.tail.end(), node) == stream.tail.end()) {
      stream.tail.push_back(node);
    }
  }
  return cudaSuccess;
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  *stream = new CUstream_st;
  streams().push_back(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream != nullptr) {
    std::erase(streams(), stream);
    if (stream->capture) {
      std::erase(stream->capture->streams, stream);
    }
    delete stream;
  }
  return next_result();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (const cudaError_t result = refuse_while_captured(stream); result != cudaSuccess) {
    return result;
  }
  if (stream != nullptr) {
    run_until([&] { return stream->is_idle(); }, "cudaStreamSynchronize");
  }
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = nullptr;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return next_result();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  event->capture = stream->capture;
  if (stream->capture) {
    event->tail = stream->tail;
    return cudaSuccess;
  }
  const int recording = ++event->recorded;
  push(stream, {in_one_piece([event, recording] { event->done = recording; })});
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (event->capture) {
    return wait_in_capture(*stream, stream, *event);
  }
  if (stream->capture) {
    return invalidate(*stream->capture, cudaErrorStreamCaptureIsolation);
  }
  if (!runtime().ignores_stream_waits) {
    push(stream, {in_one_piece([] {}), event, event->recorded});
  }
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (const cudaError_t result = refuse_captured(event); result != cudaSuccess) {
    return result;
  }
  run_some();
  return event->done >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (const cudaError_t result = refuse_captured(event); result != cudaSuccess) {
    return result;
  }
  run_until([&] { return event->done >= event->recorded; }, "cudaEventSynchronize");
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (stream == nullptr || stream->capture) {
    return cudaErrorStreamCaptureUnsupported;
  }
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->streams = {stream};
  stream->tail.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return next_result();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!stream->capture) {
    return cudaErrorIllegalState;
  }
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture->origin != stream) {
    return invalidate(*capture, cudaErrorStreamCaptureUnmatched);
  }
  bool is_joined = true;
  for (const cudaStream_t each : capture->streams) {
    is_joined = is_joined && (capture->forgives_forks || capture->are_before(each->tail, stream->tail));
    each->capture.reset();
  }
  capture->has_ended = true;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (capture->is_invalid) {
    return cudaErrorStreamCaptureInvalidated;
  }
  if (!is_joined) {
    return cudaErrorStreamCaptureUnjoined;
  }
  *graph = new CUgraph_st{std::make_shared<const GraphNodes>(std::move(capture->nodes))};
  return cudaSuccess;
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  submit(stream, [function, data] { function(data); });
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = nullptr;
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  return next_result();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (++runtime().graph_launches == runtime().interrupted_launch) {
    std::raise(SIGINT);
  }
  submit_in_parts(stream, [nodes = executable->nodes] { return run_graph(nodes); });
  return cudaSuccess;
}

}  // extern "C"

// The part of the CUDA runtime that has to do with order: streams, events, capture, graphs.
#include "emulator/stream.h"

#include "emulator/error.h"
#include "emulator/runtime.h"

#include <cuda_runtime_api.h>

#include <csignal>
#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using Work = std::function<void()>;

// What CUDA's handles point at; its headers only declare these.
struct CUgraph_st {
  std::vector<Work> nodes;
};
struct CUgraphExec_st {
  std::vector<Work> nodes;
};
struct CUevent_st {
  int recorded = 0, done = 0;  // numbers of recordings: by the host, reached by the device
};
struct CUstream_st {
  struct Operation {
    Work work;
    cudaEvent_t waits_for = nullptr;  // runs after that event's recording number `recording`
    int recording = 0;
  };
  std::deque<Operation> queue;
  std::unique_ptr<CUgraph_st> captured;  // while it is captured
  bool is_invalid = false;               // the capture: something was called that it cannot hold
};

namespace duel::emulator {

namespace {

// Never destroyed: contexts of static storage outlive everything here.
std::vector<cudaStream_t>& streams() {
  static auto& list = *new std::vector<cudaStream_t>;
  return list;
}

bool can_run(const CUstream_st& stream) {
  return !stream.queue.empty() && (stream.queue.front().waits_for == nullptr ||
                                   stream.queue.front().waits_for->done >= stream.queue.front().recording);
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

// One operation of a stream chosen by chance; false where none can run.
bool run_one() {
  const std::vector<cudaStream_t>& all = streams();
  const std::size_t first = all.empty() ? 0 : random()() % all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    CUstream_st& stream = *all[(first + i) % all.size()];
    if (can_run(stream)) {
      const Work work = std::move(stream.queue.front().work);
      stream.queue.pop_front();
      work();
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

}  // namespace

bool runs_at_once(cudaStream_t stream) {
  return stream == nullptr || (runtime().late_seed == 0 && !stream->captured && stream->queue.empty());
}

void submit(cudaStream_t stream, Work work) {
  if (runs_at_once(stream)) {
    work();
  } else if (stream->captured) {
    stream->captured->nodes.push_back(std::move(work));
  } else {
    push(stream, {std::move(work)});
  }
}

bool is_capturing() {
  for (const cudaStream_t stream : streams()) {
    if (stream->captured) {
      stream->is_invalid = true;
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

cudaError_t refuse_while_captured(cudaStream_t stream) {
  if (stream != nullptr && stream->captured) {
    stream->is_invalid = true;
    return cudaErrorStreamCaptureUnsupported;
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
    run_until([&] { return stream->queue.empty(); }, "cudaStreamSynchronize");
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
  if (const cudaError_t result = refuse_while_captured(stream); result != cudaSuccess) {
    return result;
  }
  const int recording = ++event->recorded;
  push(stream, {[event, recording] { event->done = recording; }});
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (const cudaError_t result = refuse_while_captured(stream); result != cudaSuccess) {
    return result;
  }
  if (!runtime().ignores_stream_waits) {
    push(stream, {[] {}, event, event->recorded});
  }
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  run_some();
  return event->done >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  run_until([&] { return event->done >= event->recorded; }, "cudaEventSynchronize");
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (stream == nullptr || stream->captured) {
    return cudaErrorStreamCaptureUnsupported;
  }
  stream->captured = std::make_unique<CUgraph_st>();
  stream->is_invalid = false;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (!stream->captured) {
    return cudaErrorIllegalState;
  }
  const std::unique_ptr<CUgraph_st> captured = std::move(stream->captured);
  if (const cudaError_t result = next_result(); result != cudaSuccess) {
    return result;
  }
  if (stream->is_invalid) {
    return cudaErrorStreamCaptureInvalidated;
  }
  *graph = new CUgraph_st(std::move(*captured));
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
  for (const Work& node : executable->nodes) {
    submit(stream, node);
  }
  return cudaSuccess;
}

}  // extern "C"

// What the emulated CUDA runtime answers, for tests of what is said when it answers otherwise; how late its device is;
// and when it is lost.
#pragma once

#include <driver_types.h>

#include <cstddef>
#include <cstdint>

namespace duel::emulator {

struct Runtime {
  int devices = 1;
  int driver = -1;  // the newest CUDA that the driver supports: 12040 is 12.4, 0 is no driver; -1: the runtime's own
  std::size_t memory_bytes = std::size_t{8} << 30;  // of the device
  int clock_khz = 0;                                // of the device
  std::uint64_t late_seed = 0;                      // not 0: work runs late, in an order that this chooses (stream.h)
  bool ignores_stream_waits = false;                // a fault: cudaStreamWaitEvent orders nothing
  bool has_clusters = true;                         // whether the device runs blocks in clusters
  int multiprocessors = 3;            // few and odd, so that small arrays still meet every branch of a launcher
  std::size_t shared_allocation = 0;  // a fault: allocations of just so many bytes are all the same memory; 0: none
  int calls_until_lost = 0;           // this call, counted from 1, and all later ones fail; 0: none does
  int lost = 0;                       // the code that they fail with
  int calls = 0, graph_launches = 0;  // so far
  int interrupted_launch = 0;         // this launch of a graph, counted from 1, raises SIGINT; 0: none does
};

Runtime& runtime();

// What a call of the runtime answers, before it does anything: success, unless the device is lost.
cudaError_t next_result();
// Whether a stream is captured by the caller, who must not do what this function is asked for: that spoils the capture.
bool is_capturing();

}  // namespace duel::emulator

// How long a call takes on a device. On a GPU a small operator takes less time than the host needs to launch it, so
// that many calls are captured into one graph, and graphs are what is launched and timed.
#pragma once

#include "host/device/device_queue.h"
#include "kernels/context.h"
#include "kernels/memory.h"

#include <cstddef>
#include <functional>
#include <memory>

namespace duel {

class CallTimer {
public:
  // Runs the call once outside any graph, so that what a first call sets up is there, and then captures `calls` of
  // them in a row. The context, and what the call uses, outlive the timer.
  CallTimer(Context& context, int calls, std::function<void()> call);

  // Milliseconds of one call, in a window of about so many: of one graph at least.
  double window(double milliseconds);

private:
  double launch(int graphs);

  Context& context_;
  int calls_;
  std::unique_ptr<DeviceQueue> queue_;
  DeviceQueue::Work work_;
  double latest_ = 0;  // of a call, in the window before
};

// How many calls belong into a graph: enough for the launch to be nothing beside them; on a CPU, which launches
// nothing, one.
int calls_in_a_graph(Context& context);

// Makes a GPU work for that long, so that its clocks are those of work; nothing on a CPU.
void warm_up(Context& context, double seconds, const std::function<void()>& work);

// Reads an array larger than any cache, so that caches hold nothing else, and nothing that is still to be written.
class CacheFlush {
public:
  CacheFlush(Context& context, std::size_t bytes);
  void queue();

private:
  Context& context_;
  Buffer array_, sum_;
};

// Median milliseconds of a call that finds nothing in the caches: graphs of flushes and calls, less graphs of the same
// flushes alone, in turn.
double cold_milliseconds(Context& context, CacheFlush& flush, const std::function<void()>& call);

}  // namespace duel

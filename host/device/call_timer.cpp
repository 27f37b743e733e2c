#include "host/device/call_timer.h"

#include "host/device/device.h"
#include "host/device/timing.h"
#include "kernels/reduce.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace duel {

CallTimer::CallTimer(Context& context, int calls, std::function<void()> call)
    : context_(context), calls_(calls), queue_(make_device_queue(context, true)) {
  call();
  context_.synchronize();
  work_ = queue_->add_work([calls, call = std::move(call)] {
    for (int i = 0; i < calls; ++i) {
      call();
    }
  });
  if (!queue_->is_inline()) {
    launch(1);  // captures
    latest_ = launch(1);
  }
}

double CallTimer::launch(int graphs) {
  context_.synchronize();
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < graphs; ++i) {
    queue_->launch(work_, 1);
  }
  context_.synchronize();
  return milliseconds_since(begin) / graphs / calls_;
}

double CallTimer::window(double milliseconds) {
  if (latest_ <= 0) {
    latest_ = launch(1);
  }
  constexpr double kMostGraphs = 10000;
  latest_ = launch(static_cast<int>(std::clamp(std::ceil(milliseconds / (calls_ * latest_)), 1.0, kMostGraphs)));
  return latest_;
}

int calls_in_a_graph(Context& context) {
  return context.native_stream() != nullptr ? 20 : 1;
}

void warm_up(Context& context, double seconds, const std::function<void()>& work) {
  const Clock::time_point begin = Clock::now();
  while (context.native_stream() != nullptr && seconds_since(begin) < seconds) {
    work();
    context.synchronize();
  }
}

CacheFlush::CacheFlush(Context& context, std::size_t bytes)
    : context_(context), array_(context, bytes), sum_(context, sizeof(float)) {
  array_.clear();
}

void CacheFlush::queue() {
  const int columns = 1 << 10;
  const int rows = static_cast<int>(array_.bytes() / (columns * sizeof(float)));
  reduce_sum(context_, {}, array_.view({rows, columns}, DType::f32), sum_.view({1}, DType::f32));
}

double cold_milliseconds(Context& context, CacheFlush& flush, const std::function<void()>& call) {
  constexpr int kCalls = 4, kWindows = 9;
  CallTimer both(context, kCalls, [&] {
    flush.queue();
    call();
  });
  CallTimer alone(context, kCalls, [&] { flush.queue(); });
  std::vector<double> times;
  for (int i = 0; i < kWindows; ++i) {
    const double with_call = both.window(0);
    times.push_back(with_call - alone.window(0));
  }
  return std::max(0.0, median(times));
}

}  // namespace duel

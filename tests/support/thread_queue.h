// A device whose streams are threads, for ThreadSanitizer: between streams nothing is ordered but by events.
#pragma once

#include "host/device/device_queue.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace duel::test {

class ThreadQueue : public DeviceQueue {
public:
  ThreadQueue();
  ~ThreadQueue() override;  // runs all that was queued

  Event make_event() override;
  std::byte* allocate_pinned(std::size_t bytes) override;
  Work add_cycle(StepCycle steps) override;
  void record(Event event, Stream stream) override;
  void wait(Stream stream, Event event) override;
  bool is_done(Event event) override;
  void wait(Event event) override;
  void upload(void* device, const void* pinned, std::size_t bytes) override;
  void download(void* pinned, const void* device, std::size_t bytes) override;
  void copy(void* to, const void* from, std::size_t bytes) override;
  void launch(Work work, int steps, int place = 0) override;
  void on_compute(std::function<void()> run) { push(Stream::compute, std::move(run)); }

private:
  struct EventState {
    std::mutex mutex;
    std::condition_variable changed;
    int recorded = 0, done = 0;
    void wait_for(int recording);
  };
  struct StreamState {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> operations;  // an empty function ends the thread
    std::thread thread;
  };

  void push(Stream stream, std::function<void()> run);
  static void run(StreamState& stream);
  EventState& state(Event event) { return *events_[static_cast<std::size_t>(event)]; }

  StreamState streams_[3];
  std::vector<std::unique_ptr<EventState>> events_;
  std::vector<StepCycle> work_;
  std::vector<std::unique_ptr<std::byte[]>> pinned_;
};

}  // namespace duel::test

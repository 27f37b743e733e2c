// A device that runs what it is given late, and in any order between streams that the events allow, chosen by a seed:
// what a scheduler must get right whatever a GPU does. One thread; every call lets the device get on by chance.
#pragma once

#include "host/device/device_queue.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace duel::test {

class FakeQueue : public DeviceQueue {
public:
  // A fault of the scheduler, as the device would see it: these waits do nothing.
  enum class Ignored { none, compute_waits, upload_waits, download_waits, host_waits };

  explicit FakeQueue(std::uint64_t seed, Ignored ignored = Ignored::none) : random_(seed), ignored_(ignored) {}

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

  // One operator on the compute stream: what `queue_step` of add_work() calls.
  void on_compute(std::function<void()> run) { push(Stream::compute, std::move(run)); }

private:
  struct Operation {
    std::function<void()> run;
    Event waits_for = -1;  // starts after that event's recording number `recording`
    int recording = 0;
  };
  struct EventState {
    int recorded = 0, done = 0;  // numbers of recordings: queued by the host, reached by the device
  };

  void push(Stream stream, std::function<void()> run);
  void copy(Stream stream, void* to, const void* from, std::size_t bytes);
  bool run_one();   // false where nothing can run
  void run_some();  // by chance
  bool can_run(const std::deque<Operation>& stream) const;

  std::mt19937_64 random_;
  Ignored ignored_;
  std::deque<Operation> streams_[3];
  std::vector<EventState> events_;
  std::vector<StepCycle> work_;
  std::vector<std::unique_ptr<std::byte[]>> pinned_;
};

}  // namespace duel::test

#include "tests/support/fake_queue.h"

#include "kernels/check.h"

#include <cstring>
#include <utility>

namespace duel::test {

DeviceQueue::Event FakeQueue::make_event() {
  events_.emplace_back();
  return static_cast<Event>(events_.size()) - 1;
}

std::byte* FakeQueue::allocate_pinned(std::size_t bytes) {
  pinned_.push_back(std::make_unique<std::byte[]>(bytes));
  return pinned_.back().get();
}

DeviceQueue::Work FakeQueue::add_cycle(StepCycle steps) {
  work_.push_back(std::move(steps));
  return static_cast<Work>(work_.size()) - 1;
}

void FakeQueue::record(Event event, Stream stream) {
  EventState& state = events_[static_cast<std::size_t>(event)];
  const int recording = ++state.recorded;
  push(stream, [this, event, recording] { events_[static_cast<std::size_t>(event)].done = recording; });
}

void FakeQueue::wait(Stream stream, Event event) {
  const bool is_ignored = (stream == Stream::compute && ignored_ == Ignored::compute_waits) ||
                          (stream == Stream::upload && ignored_ == Ignored::upload_waits) ||
                          (stream == Stream::download && ignored_ == Ignored::download_waits);
  if (!is_ignored) {  // an event that was never recorded is done, as CUDA has it
    streams_[static_cast<int>(stream)].push_back({[] {}, event, events_[static_cast<std::size_t>(event)].recorded});
  }
  run_some();
}

bool FakeQueue::is_done(Event event) {
  run_some();
  const EventState& state = events_[static_cast<std::size_t>(event)];
  return state.done >= state.recorded || ignored_ == Ignored::host_waits;
}

void FakeQueue::wait(Event event) {
  const EventState& state = events_[static_cast<std::size_t>(event)];
  while (state.done < state.recorded && ignored_ != Ignored::host_waits) {
    check(run_one(), "fake_queue: the host waits for event {}, and nothing can run: a deadlock", event);
  }
}

void FakeQueue::upload(void* device, const void* pinned, std::size_t bytes) {
  copy(Stream::upload, device, pinned, bytes);
}

void FakeQueue::download(void* pinned, const void* device, std::size_t bytes) {
  copy(Stream::download, pinned, device, bytes);
}

void FakeQueue::copy(void* to, const void* from, std::size_t bytes) {
  copy(Stream::compute, to, from, bytes);
}

void FakeQueue::launch(Work work, int steps, int place) {
  work_[static_cast<std::size_t>(work)].queue(steps, place);
}

void FakeQueue::push(Stream stream, std::function<void()> run) {
  streams_[static_cast<int>(stream)].push_back({std::move(run)});
  run_some();
}

// In two halves, so that whatever changes the source meanwhile shows.
void FakeQueue::copy(Stream stream, void* to, const void* from, std::size_t bytes) {
  const std::size_t half = bytes / 2;
  push(stream, [=] { std::memcpy(to, from, half); });
  push(stream, [=] {
    std::memcpy(static_cast<std::byte*>(to) + half, static_cast<const std::byte*>(from) + half, bytes - half);
  });
}

bool FakeQueue::can_run(const std::deque<Operation>& stream) const {
  if (stream.empty()) {
    return false;
  }
  const Operation& next = stream.front();
  return next.waits_for < 0 || events_[static_cast<std::size_t>(next.waits_for)].done >= next.recording;
}

bool FakeQueue::run_one() {
  const std::size_t first = random_() % 3;
  for (std::size_t i = 0; i < 3; ++i) {
    std::deque<Operation>& stream = streams_[(first + i) % 3];
    if (can_run(stream)) {
      const Operation next = std::move(stream.front());
      stream.pop_front();
      next.run();
      return true;
    }
  }
  return false;
}

void FakeQueue::run_some() {
  // Mostly nothing, so that work piles up; now and then a lot.
  const std::uint64_t draw = random_() % 8;
  for (std::uint64_t i = draw < 5 ? 0 : draw == 7 ? random_() % 32 : 1; i > 0 && run_one(); --i) {
  }
}

}  // namespace duel::test

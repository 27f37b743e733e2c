#include "tests/support/thread_queue.h"

#include <cstring>
#include <utility>

namespace duel::test {

void ThreadQueue::EventState::wait_for(int recording) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done >= recording; });
}

ThreadQueue::ThreadQueue() {
  for (StreamState& stream : streams_) {
    stream.thread = std::thread([&stream] { run(stream); });
  }
}

ThreadQueue::~ThreadQueue() {
  for (StreamState& stream : streams_) {
    {
      const std::lock_guard lock(stream.mutex);
      stream.operations.emplace_back();
    }
    stream.changed.notify_one();
  }
  for (StreamState& stream : streams_) {
    stream.thread.join();
  }
}

void ThreadQueue::run(StreamState& stream) {
  while (true) {
    std::function<void()> next;
    {
      std::unique_lock lock(stream.mutex);
      stream.changed.wait(lock, [&] { return !stream.operations.empty(); });
      next = std::move(stream.operations.front());
      stream.operations.pop_front();
    }
    if (!next) {
      return;
    }
    next();
  }
}

void ThreadQueue::push(Stream stream, std::function<void()> run) {
  StreamState& state = streams_[static_cast<int>(stream)];
  {
    const std::lock_guard lock(state.mutex);
    state.operations.push_back(std::move(run));
  }
  state.changed.notify_one();
}

DeviceQueue::Event ThreadQueue::make_event() {
  events_.push_back(std::make_unique<EventState>());
  return static_cast<Event>(events_.size()) - 1;
}

std::byte* ThreadQueue::allocate_pinned(std::size_t bytes) {
  pinned_.push_back(std::make_unique<std::byte[]>(bytes));
  return pinned_.back().get();
}

DeviceQueue::Work ThreadQueue::add_cycle(StepCycle steps) {
  work_.push_back(std::move(steps));
  return static_cast<Work>(work_.size()) - 1;
}

void ThreadQueue::record(Event event, Stream stream) {
  EventState& recorded = state(event);
  int recording = 0;
  {
    const std::lock_guard lock(recorded.mutex);
    recording = ++recorded.recorded;
  }
  push(stream, [&recorded, recording] {
    {
      const std::lock_guard lock(recorded.mutex);
      recorded.done = recording;
    }
    recorded.changed.notify_all();
  });
}

void ThreadQueue::wait(Stream stream, Event event) {
  EventState& awaited = state(event);
  int recording = 0;
  {
    const std::lock_guard lock(awaited.mutex);
    recording = awaited.recorded;
  }
  push(stream, [&awaited, recording] { awaited.wait_for(recording); });
}

bool ThreadQueue::is_done(Event event) {
  EventState& asked = state(event);
  const std::lock_guard lock(asked.mutex);
  return asked.done >= asked.recorded;
}

void ThreadQueue::wait(Event event) {
  EventState& awaited = state(event);
  awaited.wait_for(awaited.recorded);  // only this thread writes it
}

void ThreadQueue::upload(void* device, const void* pinned, std::size_t bytes) {
  push(Stream::upload, [=] { std::memcpy(device, pinned, bytes); });
}

void ThreadQueue::download(void* pinned, const void* device, std::size_t bytes) {
  push(Stream::download, [=] { std::memcpy(pinned, device, bytes); });
}

void ThreadQueue::copy(void* to, const void* from, std::size_t bytes) {
  push(Stream::compute, [=] { std::memcpy(to, from, bytes); });
}

void ThreadQueue::launch(Work work, int steps, int place) {
  work_[static_cast<std::size_t>(work)].queue(steps, place);
}

}  // namespace duel::test

#include "host/device/snapshot.h"

#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

using Stream = DeviceQueue::Stream;

Snapshot::Layout Snapshot::staged(DeviceQueue& queue, std::vector<Array> arrays, std::byte* stage) {
  std::size_t bytes = 0;
  for (const Array& array : arrays) {
    bytes += array.bytes;
  }
  return {{{stage, bytes}}, [&queue, arrays = std::move(arrays), stage] {
            std::byte* to = stage;
            for (const Array& array : arrays) {
              queue.copy(to, array.data, array.bytes);
              to += array.bytes;
            }
          }};
}

Snapshot::Snapshot(DeviceQueue& queue, Layout layout) : queue_(queue), layout_(std::move(layout)) {
  check(layout_.piece_bytes > 0, "snapshot: pieces of no bytes");
  for (const Array& array : layout_.arrays) {
    for (std::size_t done = 0; done < array.bytes; done += layout_.piece_bytes) {
      const std::size_t bytes = std::min(layout_.piece_bytes, array.bytes - done);
      pieces_.push_back({array.data + done, bytes_ + done, bytes});
    }
    bytes_ += array.bytes;
  }
  pinned_ = queue.allocate_pinned(bytes_);
  filled_ = queue.make_event();
  downloaded_ = queue.make_event();
}

Snapshot::~Snapshot() {
  try {
    queue_.wait(downloaded_);  // the owner may release the device's memory now
  } catch (const Error&) {     // a device that is lost runs nothing any more
  }
}

void Snapshot::begin() {
  // Of the last one everything has arrived, so that the stage is free, and was read, so that the pinned memory is.
  check(!is_taken(), "snapshot: begun again before the last one was released");
  is_taken_ = true;
  sent_ = 0;
  if (has_stage()) {
    layout_.fill();
  }
  queue_.record(filled_, Stream::compute);
  queue_.wait(Stream::download, filled_);
  if (has_stage()) {
    send_next();
    return;
  }
  while (sent_ < pieces_.size()) {
    send_next();
  }
  queue_.wait(Stream::compute, downloaded_);  // the next step changes what is downloaded
}

void Snapshot::send_next() {
  if (sent_ < pieces_.size()) {
    const Piece& piece = pieces_[sent_];
    queue_.download(pinned_ + piece.at, piece.from, piece.bytes);
    ++sent_;
  }
  queue_.record(downloaded_, Stream::download);
}

bool Snapshot::is_here() {
  while (queue_.is_done(downloaded_)) {
    if (sent_ == pieces_.size()) {
      return true;
    }
    send_next();
  }
  return false;
}

void Snapshot::wait() {
  while (!is_here()) {
    queue_.wait(downloaded_);
  }
}

}  // namespace duel

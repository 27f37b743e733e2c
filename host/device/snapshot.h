// Arrays of the device as they are between two steps, brought to the host while the following steps change them.
//
// Behind the steps launched so far, the compute stream copies the arrays to memory that no step touches, the stage; the
// download stream brings that to pinned memory. Where the device has no room for a stage the arrays themselves are
// downloaded, and the following steps wait for it: on the device, not the host.
//
// There is one stage and one place in pinned memory, and one owner of both: begin() gives them to the device, is_here()
// to whoever reads bytes(), and release() ends that.
#pragma once

#include "host/device/device_queue.h"

#include <atomic>
#include <functional>
#include <span>
#include <vector>

namespace duel {

class Snapshot {
public:
  struct Array {
    const std::byte* data = nullptr;  // on the device
    std::size_t bytes = 0;
  };
  struct Layout {
    std::vector<Array> arrays;  // what comes to the host, one behind the other
    // Queues on the compute stream what writes the arrays, which are a stage then. Empty: the steps themselves do.
    std::function<void()> fill = {};
    // Downloads share their stream with the steps' scalars, which must not come late by a whole state: another piece is
    // queued when the last one is here.
    std::size_t piece_bytes = std::size_t{8} << 20;
  };
  // Of a stage with room for all arrays: they are copied there.
  static Layout staged(DeviceQueue& queue, std::vector<Array> arrays, std::byte* stage);

  // Queue and arrays outlive the snapshot. Takes pinned memory for all of them.
  Snapshot(DeviceQueue& queue, Layout layout);
  ~Snapshot();  // waits for what was queued
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Queues it all behind the steps launched so far, and never waits. The last one must have been released.
  void begin();
  // Whether the bytes are here; queues the next piece. Never waits, but must be asked now and then.
  bool is_here();
  void wait();
  // Any thread may read and release them.
  std::span<const std::byte> bytes() const { return {pinned_, bytes_}; }
  void release() { is_taken_.store(false, std::memory_order_release); }
  bool is_taken() const { return is_taken_.load(std::memory_order_acquire); }  // begun, and not released

private:
  struct Piece {
    const std::byte* from = nullptr;
    std::size_t at = 0, bytes = 0;
  };

  void send_next();
  bool has_stage() const { return static_cast<bool>(layout_.fill); }

  DeviceQueue& queue_;
  const Layout layout_;
  std::vector<Piece> pieces_;
  std::size_t bytes_ = 0;
  std::byte* pinned_;
  DeviceQueue::Event filled_, downloaded_;
  std::size_t sent_ = 0;  // pieces of this time whose download is queued
  std::atomic<bool> is_taken_ = false;
};

}  // namespace duel

// What was taken of a training between two steps, and becomes a file later: in the background, once it is in host
// memory and every step up to its own was seen to be finite. So a state that is spoilt is never published, although
// the host learns of its scalars only after later steps were launched.
#pragma once

#include "host/device/snapshot.h"
#include "host/run/background.h"

#include <cstdint>
#include <deque>

namespace duel {

class LateWrites {
public:
  // Steps up to `good` need not be looked at. The background outlives this; its jobs read snapshots, which outlive it.
  LateWrites(Background& background, std::int64_t good) : background_(background), good_(good) {}

  // Begins the snapshot, of the state after `step`, the last one launched; `write` may read its bytes.
  void add(std::int64_t step, Snapshot& snapshot, Background::Job write);
  // Every step up to this one was seen to be finite.
  void note_good(std::int64_t step);
  // Hands on, in order, what can be written now. Never waits.
  void poll();
  // Returns when all of good steps is written; the others stay, and are dropped in the end if nobody calls them good.
  void finish();

private:
  struct Late {
    std::int64_t step = 0;
    Snapshot* snapshot = nullptr;
    Background::Job write;
  };

  bool is_next_good() const { return !waiting_.empty() && waiting_.front().step <= good_; }
  void hand_on();

  Background& background_;
  std::int64_t good_;
  std::deque<Late> waiting_;  // steps ascending
};

}  // namespace duel

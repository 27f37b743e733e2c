#include "host/run/late_writes.h"

#include <utility>

namespace duel {

void LateWrites::add(std::int64_t step, Snapshot& snapshot, Background::Job write) {
  snapshot.begin();
  waiting_.push_back({step, &snapshot, std::move(write)});
  poll();
}

void LateWrites::note_good(std::int64_t step) {
  good_ = step;
  poll();
}

void LateWrites::poll() {
  for (Late& late : waiting_) {
    late.snapshot->is_here();  // whether its turn has come or not, its pieces must get on
  }
  while (is_next_good() && waiting_.front().snapshot->is_here() && background_.has_room()) {
    hand_on();
  }
}

void LateWrites::finish() {
  while (is_next_good()) {
    waiting_.front().snapshot->wait();
    hand_on();
  }
  background_.finish();
}

void LateWrites::hand_on() {
  Late late = std::move(waiting_.front());
  waiting_.pop_front();
  background_.add([snapshot = late.snapshot, write = std::move(late.write)] {
    write();
    snapshot->release();
  });
}

}  // namespace duel

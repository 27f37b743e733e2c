#include "emulator/synchronization.h"

namespace duel::emulator {

Votes sync_block(bool vote, Location where) {
  const Quiet quiet;
  return Block::current().barrier(vote, where);
}

void sleep_a_little(Location where) {
  const Quiet quiet;
  Block::current().sleep(where);
}

void fence() {
  static SyncPoint point;
  point.acquire();
  point.release();
}

}  // namespace duel::emulator

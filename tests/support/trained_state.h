// All that a checkpoint would hold of a trainer, as numbers to compare.
#pragma once

#include "host/train/trainer.h"

#include <cstring>
#include <vector>

namespace duel::test {

inline std::vector<float> state_of(Trainer& trainer) {
  Snapshot& snapshot = trainer.snapshot();
  snapshot.begin();
  snapshot.wait();
  std::vector<float> values(snapshot.bytes().size() / sizeof(float));
  std::memcpy(values.data(), snapshot.bytes().data(), snapshot.bytes().size());
  snapshot.release();
  return values;
}

}  // namespace duel::test

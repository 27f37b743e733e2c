// What the emulated CUDA runtime answers, for tests of what is said when it answers otherwise.
#pragma once

#include <cstddef>

namespace duel::emulator {

struct Runtime {
  int devices = 1;
  int driver = -1;  // the newest CUDA that the driver supports: 12040 is 12.4, 0 is no driver; -1: the runtime's own
  std::size_t memory_bytes = std::size_t{8} << 30;  // of the device
};

Runtime& runtime();

}  // namespace duel::emulator

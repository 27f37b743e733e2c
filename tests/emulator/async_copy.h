// cp.async: copies from global to shared memory that a thread has begun. They land as late as CUDA allows, in the wait
// that covers their group; until then the destination is undefined.
#pragma once

#include "emulator/error.h"

#include <cstddef>
#include <vector>

namespace duel::emulator {

class AsyncCopies {
public:
  struct Copy {
    void* to;
    const void* from;
    std::size_t bytes, read;  // read <= bytes: the rest becomes zero
    int group;
  };

  void clear();
  void begin(void* to, const void* from, std::size_t bytes, std::size_t read);
  void commit() { ++groups_; }
  // Takes the oldest copy that must have landed when at most `in_flight` groups have not.
  bool take(int in_flight, Copy* copy);

private:
  std::vector<Copy> copies_;  // oldest first
  std::size_t landed_ = 0;    // so many of them
  int groups_ = 0;            // committed
};

// For the running thread.
void async_copy(void* shared, const void* global, int bytes, int read, Location where);
void async_commit();
void async_wait(int in_flight);

}  // namespace duel::emulator

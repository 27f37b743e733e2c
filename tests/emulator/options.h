// The order in which a launch runs its blocks, warps and lanes: that of its options alone, whatever ran before, so that
// a failure comes again.
#pragma once

#include <cstdint>

namespace duel::emulator {

enum class Order {
  forward,  // the first block, warp and lane that can go on
  reverse,  // the last
  random,   // any
  greedy,   // one warp as far ahead as it can get, then another: what finds a barrier missing before an array is reused
};

struct Options {
  Order order = Order::forward;
  std::uint64_t seed = 1;  // of random and greedy
};

// Those of the next launch of this thread.
Options& options();

const char* to_string(Order order);

}  // namespace duel::emulator

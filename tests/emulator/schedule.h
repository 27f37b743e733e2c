// Which thread of a block runs next, and which block of a grid.
#pragma once

#include "emulator/options.h"

#include <cstdint>
#include <vector>

namespace duel::emulator {

class Random {  // xorshift64
public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15 + 1) {}
  unsigned below(std::uint64_t limit);

private:
  std::uint64_t state_;
};

// The threads that can go on, 32 to a warp.
class Schedule {
public:
  explicit Schedule(const Options& options);

  void begin_block();  // no thread can go on
  void add(int warp, std::uint32_t lanes);
  int take();  // the number of the thread whose turn it is, which is no longer one of them; -1 where there is none

private:
  int choose_warp();
  int choose_bit(std::uint32_t bits);
  void shuffle_ranks();

  Order order_;
  Random random_;
  std::uint32_t warps_ = 0;       // those with a thread that can go on
  std::uint32_t lanes_[32] = {};  // of each warp
  std::uint8_t rank_[32] = {};    // greedy: the warp of the lowest goes first
};

// The order in which `count` blocks run.
std::vector<std::uint64_t> block_order(const Options& options, std::uint64_t count);

}  // namespace duel::emulator

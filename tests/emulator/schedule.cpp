#include "emulator/schedule.h"

#include <bit>
#include <numeric>
#include <utility>

namespace duel::emulator {

unsigned Random::below(std::uint64_t limit) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return static_cast<unsigned>((state_ >> 16) % limit);
}

namespace {

int first_bit(std::uint32_t bits) {
  return std::countr_zero(bits);
}

int last_bit(std::uint32_t bits) {
  return 31 - std::countl_zero(bits);
}

}  // namespace

Schedule::Schedule(const Options& options) : order_(options.order), random_(options.seed) {}

void Schedule::begin_block() {
  warps_ = 0;
  for (std::uint32_t& lanes : lanes_) {
    lanes = 0;
  }
  if (order_ == Order::greedy) {
    shuffle_ranks();
  }
}

void Schedule::add(int warp, std::uint32_t lanes) {
  lanes_[warp] |= lanes;
  if (lanes != 0) {
    warps_ |= 1U << warp;
  }
}

int Schedule::take() {
  if (warps_ == 0) {
    return -1;
  }
  const int warp = choose_warp();
  const int lane = choose_bit(lanes_[warp]);
  lanes_[warp] &= ~(1U << lane);
  if (lanes_[warp] == 0) {
    warps_ &= ~(1U << warp);
  }
  return warp * 32 + lane;
}

int Schedule::choose_warp() {
  if (order_ != Order::greedy) {
    return choose_bit(warps_);
  }
  if (random_.below(256) == 0) {  // now and then another warp overtakes
    shuffle_ranks();
  }
  int chosen = first_bit(warps_);
  for (std::uint32_t rest = warps_; rest != 0; rest &= rest - 1) {
    if (rank_[first_bit(rest)] < rank_[chosen]) {
      chosen = first_bit(rest);
    }
  }
  return chosen;
}

int Schedule::choose_bit(std::uint32_t bits) {
  if (order_ == Order::forward) {
    return first_bit(bits);
  }
  if (order_ == Order::reverse) {
    return last_bit(bits);
  }
  for (unsigned skip = random_.below(static_cast<unsigned>(std::popcount(bits))); skip > 0; --skip) {
    bits &= bits - 1;
  }
  return first_bit(bits);
}

void Schedule::shuffle_ranks() {
  for (int i = 0; i < 32; ++i) {
    const auto j = random_.below(static_cast<unsigned>(i) + 1);
    rank_[i] = rank_[j];
    rank_[j] = static_cast<std::uint8_t>(i);
  }
}

std::vector<std::uint64_t> block_order(const Options& options, std::uint64_t count) {
  std::vector<std::uint64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (options.order == Order::reverse) {
    for (std::uint64_t i = 0; i < count; ++i) {
      order[i] = count - 1 - i;
    }
  } else if (options.order != Order::forward) {
    Random random(options.seed);
    for (std::uint64_t i = count; i > 1; --i) {
      std::swap(order[i - 1], order[random.below(i)]);
    }
  }
  return order;
}

}  // namespace duel::emulator

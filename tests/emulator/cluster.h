// Blocks that run side by side, may wait for one another, and read one another's shared memory (CUDA C++ Programming
// Guide, "Thread Block Clusters"). One block goes on until all of its threads wait at the cluster's barrier, then the
// next does: so what a block reads of another without a barrier between is not there yet, or is gone.
#pragma once

#include "emulator/block.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace duel::emulator {

class Cluster {
public:
  static constexpr std::size_t kMost = 8;  // blocks, on every GPU that has clusters

  Cluster(const Options& options, Grid& grid);

  void run(uint3 index);  // of the cluster in the grid

  // For its blocks:
  std::size_t size() const { return blocks_.size(); }
  Block& block(std::size_t rank) { return *blocks_[rank]; }
  // A thread comes to the barrier; false where others wait at another one.
  bool arrive(Location where);
  Location where() const { return where_; }  // of the first to arrive
  SyncPoint& sync() { return sync_[serial_ % 2][generation_ % 2]; }

private:
  void go_on();  // all blocks, to the next barrier or the end
  [[noreturn]] void fail(Block& block, const Error& error);

  const Options options_;
  Grid& grid_;
  std::vector<std::unique_ptr<Block>> blocks_;
  bool is_any_waiting_ = false;
  Location where_;
  unsigned generation_ = 0, serial_ = 0;
  SyncPoint sync_[2][2];  // of clusters and rounds in turn, as the barrier of a block has them
};

}  // namespace duel::emulator

#include "emulator/cluster.h"

#include <algorithm>
#include <cstring>

namespace duel::emulator {

Cluster::Cluster(const Options& options, Grid& grid) : options_(options), grid_(grid) {
  for (unsigned i = 0; i < grid.cluster.x * grid.cluster.y * grid.cluster.z; ++i) {
    blocks_.push_back(std::make_unique<Block>(options, *this));
  }
}

void Cluster::run(uint3 index) {
  const dim3 shape = grid_.cluster;
  for (unsigned rank = 0; rank < size(); ++rank) {
    const unsigned row = rank / shape.x;
    blocks_[rank]->begin(grid_, {index.x * shape.x + rank % shape.x, index.y * shape.y + row % shape.y,
                                 index.z * shape.z + row / shape.y});
  }
  ++serial_;
  for (;;) {
    is_any_waiting_ = false;
    go_on();
    const auto is_ended = [](const auto& block) { return block->has_ended(); };
    if (std::all_of(blocks_.begin(), blocks_.end(), is_ended)) {
      break;
    }
    const auto ended = std::find_if(blocks_.begin(), blocks_.end(), is_ended);
    if (ended != blocks_.end()) {
      const auto waiting = std::find_if_not(blocks_.begin(), blocks_.end(), is_ended);
      const uint3 at = (*ended)->index();
      fail(**waiting, Error("waits at the cluster's barrier at %s:%d, but block (%u,%u,%u) of the cluster has ended",
                            where_.file_name(), where_.line, at.x, at.y, at.z));
    }
    ++generation_;
    for (const auto& block : blocks_) {
      block->pass_cluster_barrier();
    }
  }
  for (const auto& block : blocks_) {
    block->release();
  }
}

void Cluster::go_on() {
  for (const std::uint64_t rank : block_order(options_, size())) {
    Block& block = *blocks_[rank];
    if (block.has_ended()) {
      continue;
    }
    block.go_on();
    if (block.has_failed()) {
      fail(block, block.error());
    }
    if (block.has_ended() && size() > 1) {
      block.retire();
    }
  }
}

void Cluster::fail(Block& block, const Error& error) {
  for (const auto& each : blocks_) {
    each->release();
  }
  block.give_up(error);
}

bool Cluster::arrive(Location where) {
  if (!is_any_waiting_) {
    is_any_waiting_ = true;
    where_ = where;
    return true;
  }
  return where_.line == where.line && std::strcmp(where_.file, where.file) == 0;
}

}  // namespace duel::emulator

#include "emulator/launch.h"

#include "emulator/indices.h"
#include "emulator/symbol_name.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <vector>

namespace duel::emulator {

namespace {

std::mutex mutex;

// Not a set, which MemorySanitizer could not follow into the library.
std::vector<const void*>& launched() {
  static std::vector<const void*> kernels;
  return kernels;
}

void note_launch(const void* kernel) {
  const std::lock_guard lock(mutex);
  if (std::find(launched().begin(), launched().end(), kernel) == launched().end()) {
    launched().push_back(kernel);
  }
}

dim3 clusters_of(const Grid& grid) {
  return {grid.blocks.x / grid.cluster.x, grid.blocks.y / grid.cluster.y, grid.blocks.z / grid.cluster.z};
}

void check_shape(const Grid& grid) {
  const auto [bx, by, bz] = grid.blocks;
  const auto [tx, ty, tz] = grid.threads;
  if (bx == 0 || by == 0 || bz == 0 || bx > 0x7FFFFFFF || by > 65535 || bz > 65535) {
    throw Error("invalid launch: a grid of %u x %u x %u blocks", bx, by, bz);
  }
  if (tx == 0 || ty == 0 || tz == 0 || tx > 1024 || ty > 1024 || tz > 64 || std::uint64_t{tx} * ty * tz > 1024) {
    throw Error("invalid launch: blocks of %u x %u x %u threads", tx, ty, tz);
  }
  const auto [cx, cy, cz] = grid.cluster;
  if (cx == 0 || cy == 0 || cz == 0 || bx % cx != 0 || by % cy != 0 || bz % cz != 0 ||
      std::uint64_t{cx} * cy * cz > Cluster::kMost) {
    throw Error("invalid launch: clusters of %u x %u x %u of %u x %u x %u blocks", cx, cy, cz, bx, by, bz);
  }
  if (grid.shared_bytes > SharedMemory::kMost) {
    throw Error("invalid launch: %zu bytes of shared memory, but a block has at most %zu", grid.shared_bytes,
                SharedMemory::kMost);
  }
}

// A sanitizer's report names the line; this adds the thread.
[[maybe_unused]] void say_thread() {
  if (Block::is_any_running()) {
    std::fprintf(stderr, "emulator: in block (%u,%u,%u), thread (%u,%u,%u)\n", blockIdx.x, blockIdx.y, blockIdx.z,
                 threadIdx.x, threadIdx.y, threadIdx.z);
  }
}

}  // namespace

GridRun::GridRun(const void* kernel, const Grid& grid) : grid_(grid) {
  const Quiet quiet;
  if (Block::is_any_running()) {
    throw Error("invalid launch: by a kernel");
  }
  check_shape(grid_);
  note_launch(kernel);
  const dim3 clusters = clusters_of(grid_);
  order_ = block_order(options(), std::uint64_t{clusters.x} * clusters.y * clusters.z);
}

bool GridRun::go_on(std::size_t most) {
  const Quiet quiet;
#if DUEL_EMULATOR_ASAN || DUEL_EMULATOR_TSAN || DUEL_EMULATOR_MSAN
  __sanitizer_set_death_callback(&say_thread);
#endif
  const dim3 clusters = clusters_of(grid_);
  Cluster cluster(options(), grid_);
  for (std::size_t i = std::min(most, clusters_left()); i > 0; --i) {
    const std::uint64_t number = order_[done_++], row = number / clusters.x;
    cluster.run({static_cast<unsigned>(number % clusters.x), static_cast<unsigned>(row % clusters.y),
                 static_cast<unsigned>(row / clusters.y)});
  }
  grid_.end.acquire();
  return clusters_left() > 0;
}

std::size_t clusters_to_run(std::size_t left) {
  const std::uint64_t few = draw(2);
  return few == 0 ? left : static_cast<std::size_t>(1 + draw(left));
}

std::set<std::string> launched_kernels() {
  const std::lock_guard lock(mutex);
  std::set<std::string> names;
  for (const void* kernel : launched()) {
    names.insert(function_name(kernel));
  }
  return names;
}

}  // namespace duel::emulator

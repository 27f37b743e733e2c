// Runs a kernel: cluster after cluster of blocks, which are mostly single ones, in the order that the options say,
// until all have ended.
#pragma once

#include "emulator/cluster.h"
#include "emulator/stream.h"

#include <driver_types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace duel::emulator {

// A kernel that runs: throws Error for a fault of the kernel, or a launch that CUDA would refuse.
class GridRun {
public:
  GridRun(const void* kernel, const Grid& grid);
  // Runs the next clusters, at most so many; whether there are more.
  bool go_on(std::size_t most);
  std::size_t clusters_left() const { return order_.size() - done_; }

private:
  Grid grid_;
  std::vector<std::uint64_t> order_;  // of the clusters
  std::size_t done_ = 0;
};

// How many of the clusters that are left to run next: all of them, or on a late device any number.
std::size_t clusters_to_run(std::size_t left);

// The names of all kernels launched so far by this process, as their sources have them: map_kernel, whatever its
// template arguments.
std::set<std::string> launched_kernels();

// Where the stream runs late or is captured (stream.h), a call with copies of the arguments is run then, a few blocks
// at a time, so that two kernels which may run at once and use the same memory show it.
template <class... Parameters, class... Arguments>
void launch_clusters(void (*kernel)(Parameters...), dim3 blocks, dim3 threads, dim3 cluster, std::size_t shared_bytes,
                     cudaStream_t stream, Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<std::decay_t<Parameters>...> arguments;
  };
  const Call call{kernel, {static_cast<Parameters>(std::forward<Arguments>(arguments))...}};
  const auto begin = [blocks, threads, cluster, shared_bytes](const Call& now) {
    Grid grid;
    grid.blocks = blocks;
    grid.threads = threads;
    grid.cluster = cluster;
    grid.shared_bytes = shared_bytes;
    grid.call = [](const void* data) {
      const Call& the_call = *static_cast<const Call*>(data);
      std::apply(the_call.kernel, the_call.arguments);
    };
    grid.arguments = &now;
    return GridRun(reinterpret_cast<const void*>(now.kernel), grid);
  };
  if (runs_at_once(stream)) {
    GridRun run = begin(call);
    run.go_on(run.clusters_left());
    return;
  }
  submit_in_parts(stream, [begin, call]() -> Doing {
    const auto kept = std::make_shared<Call>(call);
    const auto run = std::make_shared<GridRun>(begin(*kept));
    return [kept, run] { return run->go_on(clusters_to_run(run->clusters_left())); };
  });
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 blocks, dim3 threads, std::size_t shared_bytes, cudaStream_t stream,
            Arguments&&... arguments) {
  launch_clusters(kernel, blocks, threads, {1, 1, 1}, shared_bytes, stream, std::forward<Arguments>(arguments)...);
}

}  // namespace duel::emulator

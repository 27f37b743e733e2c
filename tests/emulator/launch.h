// Runs a kernel: block after block, in the order that the options say, until all have ended.
#pragma once

#include "emulator/block.h"
#include "emulator/stream.h"

#include <driver_types.h>

#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace duel::emulator {

// Throws Error for a fault of the kernel, or a launch that CUDA would refuse.
void run_grid(const void* kernel, Grid& grid);

// The names of all kernels launched so far by this process, as their sources have them: map_kernel, whatever its
// template arguments.
std::set<std::string> launched_kernels();

// Where the stream runs late or is captured (stream.h), a call with copies of the arguments is run then.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 blocks, dim3 threads, std::size_t shared_bytes, cudaStream_t stream,
            Arguments&&... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<std::decay_t<Parameters>...> arguments;
  };
  const Call call{kernel, {static_cast<Parameters>(std::forward<Arguments>(arguments))...}};
  const auto run = [blocks, threads, shared_bytes](const Call& now) {
    Grid grid;
    grid.blocks = blocks;
    grid.threads = threads;
    grid.shared_bytes = shared_bytes;
    grid.call = [](const void* data) {
      const Call& the_call = *static_cast<const Call*>(data);
      std::apply(the_call.kernel, the_call.arguments);
    };
    grid.arguments = &now;
    run_grid(reinterpret_cast<const void*>(now.kernel), grid);
  };
  if (runs_at_once(stream)) {
    run(call);
  } else {
    submit(stream, [run, call] { run(call); });
  }
}

}  // namespace duel::emulator

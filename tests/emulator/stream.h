// Streams, events and graphs of the emulated CUDA runtime. By default work is done when it is submitted. A late device
// (Runtime::late_seed) runs it later, in any order that streams, events and graphs (graph.h) allow, chosen by the seed:
// also a few blocks of one kernel, then a few of another that may run at the same time.
#pragma once

#include <driver_types.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace duel::emulator {

// What is being done: each call does a part of it, and says whether there is more.
using Doing = std::function<bool()>;
// One kernel or copy: each call begins it. It is run now, later, or, while the stream is captured, whenever its graph
// is launched: so it holds copies of its arguments.
using Work = std::function<Doing()>;

void submit_in_parts(cudaStream_t stream, Work work);
void submit(cudaStream_t stream, std::function<void()> whole);  // what is done in one piece

// Whether it would be done at once, so that nothing need be copied.
bool runs_at_once(cudaStream_t stream);

// A number below `count`, chosen by the seed of a late device; 0 on any other.
std::uint64_t draw(std::uint64_t count);

}  // namespace duel::emulator

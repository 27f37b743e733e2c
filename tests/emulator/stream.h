// Streams, events and graphs of the emulated CUDA runtime. By default work is done when it is submitted. A late device
// (Runtime::late_seed) runs it later, in any order between streams that the events allow, chosen by the seed.
#pragma once

#include <driver_types.h>

#include <cstddef>
#include <functional>

namespace duel::emulator {

// One kernel or copy. It is run now, later, or, while the stream is captured, whenever its graph is launched: so it
// holds copies of its arguments.
void submit(cudaStream_t stream, std::function<void()> work);

// Whether submit() would run it at once, so that nothing need be copied.
bool runs_at_once(cudaStream_t stream);

}  // namespace duel::emulator

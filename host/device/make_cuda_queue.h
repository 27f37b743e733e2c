// The one door between the host and host/device/cuda, which a build without CUDA does not have.
#pragma once

#include "host/device/device_queue.h"
#include "kernels/context.h"

#include <memory>

namespace duel {

// Of a context on a GPU. `graphs`: steps are captured once and replayed. Defined in host/device/cuda, or, in a build
// without CUDA, in host/device/no_cuda, where it is never called.
std::unique_ptr<DeviceQueue> make_cuda_queue(Context& context, bool graphs);

}  // namespace duel

#include "host/device/make_cuda_queue.h"
#include "kernels/check.h"

namespace duel {

std::unique_ptr<DeviceQueue> make_cuda_queue(Context& context, bool) {
  throw_error(Error::Kind::device, "{}: this build of duel has no CUDA; build it with -DDUEL_CUDA=ON", context.name());
}

}  // namespace duel

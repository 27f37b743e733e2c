// For which GPUs the kernels were compiled, as the driver chose them for the present device.
#pragma once

namespace duel {

// The compute capability that the kernels' source was compiled for, 90 for 9.0: less than the device's own where the
// build has none for it, and the driver translates older ones. 0 where the build has nothing that runs here.
int built_for();

}  // namespace duel

// The ceiling of memory: how fast a plain copy moves bytes, counted as those read plus those written.
#pragma once

namespace duel {

double copy_gigabytes_per_second_cpu();
double copy_gigabytes_per_second_cuda();  // of the current device; only in a build with CUDA

}  // namespace duel

// Not to be compiled: a shared array that is not declared by DUEL_SHARED. The test emulator.faults_raw_shared sees that
// the compiler refuses it.
#include "emulator/device.h"

__global__ void raw_shared_kernel(float* y) {
  __shared__ float values[32];
  values[threadIdx.x] = 1.0F;
  y[threadIdx.x] = values[threadIdx.x];
}

// Ranges (kernels/range.h) as NVTX, which does nothing unless a profiler has loaded itself.
#if __has_include(<nvtx3/nvToolsExt.h>)
#include <nvtx3/nvToolsExt.h>
#else  // the emulator may find CUDA's headers without it
inline int nvtxRangePushA(const char*) {
  return 0;
}
inline int nvtxRangePop() {
  return 0;
}
#endif

namespace duel {

void push_cuda_range(const char* name);
void pop_cuda_range();

void push_cuda_range(const char* name) {
  nvtxRangePushA(name);
}

void pop_cuda_range() {
  nvtxRangePop();
}

}  // namespace duel

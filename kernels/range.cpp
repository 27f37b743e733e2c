#include "kernels/range.h"

#include "kernels/dispatch.h"

namespace duel {

void push_cuda_range(const char* name);
void pop_cuda_range();

Range::Range([[maybe_unused]] const char* name) {
  if constexpr (kHasCuda) {
    push_cuda_range(name);
  }
}

Range::~Range() {
  if constexpr (kHasCuda) {
    pop_cuda_range();
  }
}

}  // namespace duel

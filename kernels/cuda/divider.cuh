// Division of indices by a number that the host knows: a multiplication and a shift instead of some twenty
// instructions (Granlund & Montgomery, "Division by invariant integers using multiplication", 1994, figure 4.1).
#pragma once

#include "kernels/cuda/platform.cuh"

namespace duel {

class Divider {
public:
  Divider() = default;
  explicit Divider(int divisor) : divisor_(static_cast<unsigned>(divisor)) {  // divisor >= 1
    while ((std::uint64_t{1} << shift_) < divisor_) {
      ++shift_;
    }
    multiplier_ = static_cast<unsigned>((((std::uint64_t{1} << shift_) - divisor_) << 32) / divisor_ + 1);
  }

  // value in [0, 2^31): so the sum cannot overflow
  __device__ __forceinline__ int quotient(int value) const {
    const unsigned n = static_cast<unsigned>(value);
    return static_cast<int>((__umulhi(n, multiplier_) + n) >> shift_);
  }
  __device__ __forceinline__ int remainder(int value, int quotient) const {
    return value - quotient * static_cast<int>(divisor_);
  }

private:
  unsigned divisor_ = 1, multiplier_ = 1, shift_ = 0;
};

}  // namespace duel

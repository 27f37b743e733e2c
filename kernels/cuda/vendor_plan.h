// One way in which a vendor's library computes an operator on arrays of certain shapes.
#pragma once

#include "kernels/tensor.h"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace duel {

class VendorPlan {
public:
  virtual ~VendorPlan() = default;
  virtual std::string name() const = 0;  // the same in every process with the same library
  virtual std::size_t workspace_bytes() const = 0;
  // Queues it. Arrays of the shapes and types it was made for, 16-byte aligned; an absent one has no data.
  virtual void run(cudaStream_t stream, std::span<const View> inputs, View output, void* workspace) const = 0;
};

using VendorPlans = std::vector<std::unique_ptr<VendorPlan>>;

inline constexpr std::size_t kVendorAlignment = 16;

}  // namespace duel

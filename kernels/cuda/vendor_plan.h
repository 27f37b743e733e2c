// One way in which a vendor's library computes an operator on arrays of certain shapes, and where such ways come from.
#pragma once

#include "kernels/tensor.h"

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace duel {

class VendorPlan {
public:
  virtual ~VendorPlan() = default;
  virtual std::string name() const = 0;    // for people; the same in every process with the same library
  virtual std::string recipe() const = 0;  // what VendorPlans::rebuild() needs
  virtual std::size_t workspace_bytes() const = 0;
  // Queues it. Arrays of the shapes and types it was made for, 16-byte aligned; an absent one has no data. The first
  // run on a stream may load kernels, which a capture does not allow.
  virtual void run(cudaStream_t stream, std::span<const View> inputs, View output, void* workspace) const = 0;
};

// The plans of one problem. Building one may take a second, so none is built before it is asked for.
class VendorPlans {
public:
  virtual ~VendorPlans() = default;
  virtual std::unique_ptr<VendorPlan> next() = 0;  // likeliest first; null: there are no more
  // The plan of that recipe alone, without asking the library for others; null where it has that plan no more.
  virtual std::unique_ptr<VendorPlan> rebuild(const std::string& recipe) = 0;
};

inline constexpr std::size_t kVendorAlignment = 16;

}  // namespace duel

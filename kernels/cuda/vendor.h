// The vendor's libraries that this build knows and that this machine has: cuBLASLt for matrix products, cuDNN for
// convolutions. Each is loaded by itself, and may be missing.
#pragma once

#include "kernels/conv2d.h"
#include "kernels/cuda/vendor_plan.h"
#include "kernels/matmul.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace duel {

class CublasLt;
class Cudnn;

class Vendor {
public:
  // For the current device. `is_wanted` false loads nothing.
  explicit Vendor(bool is_wanted);
  ~Vendor();

  bool has_any() const { return cublaslt_ != nullptr || cudnn_ != nullptr; }
  const std::string& why_none() const { return why_none_; }
  std::vector<std::pair<std::string, std::string>> versions() const;  // {"cuBLASLt", "13.1.0"}

  // Null where the library is missing. Inputs of the plans: the views before the last, in their order.
  using Plans = std::unique_ptr<VendorPlans>;
  Plans matmul_plans(const Matmul& matmul, bool allow_tf32, View a, View b, View bias, View y) const;
  Plans conv2d_forward_plans(const Conv2d& conv, const Activation& activation, bool allow_tf32, View x, View w,
                             View bias, View y) const;
  Plans conv2d_backward_input_plans(const Conv2d& conv, bool allow_tf32, View dy, View w, View dx) const;
  Plans conv2d_backward_weight_plans(const Conv2d& conv, bool allow_tf32, View x, View dy, View dw) const;

private:
  std::unique_ptr<CublasLt> cublaslt_;
  std::unique_ptr<Cudnn> cudnn_;
  std::string why_none_;
};

}  // namespace duel

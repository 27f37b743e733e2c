// The vendor's libraries that this build knows and that this machine has.
#pragma once

#include "kernels/cuda/vendor_plan.h"
#include "kernels/matmul.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace duel {

class CublasLt;

class Vendor {
public:
  // `is_wanted` false loads nothing.
  explicit Vendor(bool is_wanted);
  ~Vendor();

  bool has_any() const { return cublaslt_ != nullptr; }
  const std::string& why_none() const { return why_none_; }
  std::vector<std::pair<std::string, std::string>> versions() const;  // {"cuBLASLt", "13.1.0"}

  // Inputs of the plans: a, b, bias.
  VendorPlans matmul_plans(const Matmul& matmul, bool allow_tf32, View a, View b, View bias, View y) const;

private:
  std::unique_ptr<CublasLt> cublaslt_;
  std::string why_none_;
};

}  // namespace duel

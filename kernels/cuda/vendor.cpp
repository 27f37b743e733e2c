#include "kernels/cuda/vendor.h"

#if __has_include(<cublasLt.h>)
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/matmul_cublaslt.h"
#define DUEL_HAS_CUBLASLT 1
#else
#define DUEL_HAS_CUBLASLT 0
namespace duel {
class CublasLt {};
}  // namespace duel
#endif

namespace duel {

Vendor::Vendor([[maybe_unused]] bool is_wanted) {
#if DUEL_HAS_CUBLASLT
  if (!is_wanted) {
    return;
  }
  cublaslt_ = std::make_unique<CublasLt>();
  if (!cublaslt_->is_usable()) {
    why_none_ = cublaslt_->why_not();
    cublaslt_.reset();
  }
#else
  why_none_ = "this build was made without the headers of cuBLASLt";
#endif
}

Vendor::~Vendor() = default;

std::vector<std::pair<std::string, std::string>> Vendor::versions() const {
  std::vector<std::pair<std::string, std::string>> list;
#if DUEL_HAS_CUBLASLT
  if (cublaslt_) {
    list.emplace_back("cuBLASLt", cublaslt_->version());
  }
#endif
  return list;
}

VendorPlans Vendor::matmul_plans([[maybe_unused]] const Matmul& matmul, [[maybe_unused]] bool allow_tf32,
                                 [[maybe_unused]] View a, [[maybe_unused]] View b, [[maybe_unused]] View bias,
                                 [[maybe_unused]] View y) const {
#if DUEL_HAS_CUBLASLT
  if (cublaslt_) {
    return cublaslt_matmul_plans(*cublaslt_, matmul, allow_tf32, a, b, bias, y);
  }
#endif
  return {};
}

}  // namespace duel

#include "kernels/cuda/cublaslt.h"

#include "kernels/check.h"

#include <fmt/format.h>

namespace duel {

// The library of the headers that this was compiled with: structures differ from one major version to the next.
CublasLt::CublasLt() : library_({fmt::format("libcublasLt.so.{}", CUBLAS_VER_MAJOR)}) {
  if (!library_.is_loaded()) {
    why_not_ = library_.why_not();
    return;
  }
  const bool has_all = library_.find("cublasLtCreate", create_) && library_.find("cublasLtDestroy", destroy_) &&
                       library_.find("cublasLtGetVersion", get_version_) &&
                       library_.find("cublasLtGetStatusString", get_status_string_) &&
                       library_.find("cublasLtMatmul", Matmul) &&
                       library_.find("cublasLtMatmulAlgoGetHeuristic", MatmulAlgoGetHeuristic) &&
                       library_.find("cublasLtMatmulAlgoCheck", MatmulAlgoCheck) &&
                       library_.find("cublasLtMatmulAlgoConfigGetAttribute", MatmulAlgoConfigGetAttribute) &&
                       library_.find("cublasLtMatmulDescCreate", MatmulDescCreate) &&
                       library_.find("cublasLtMatmulDescDestroy", MatmulDescDestroy) &&
                       library_.find("cublasLtMatmulDescSetAttribute", MatmulDescSetAttribute) &&
                       library_.find("cublasLtMatrixLayoutCreate", MatrixLayoutCreate) &&
                       library_.find("cublasLtMatrixLayoutDestroy", MatrixLayoutDestroy) &&
                       library_.find("cublasLtMatmulPreferenceCreate", MatmulPreferenceCreate) &&
                       library_.find("cublasLtMatmulPreferenceDestroy", MatmulPreferenceDestroy) &&
                       library_.find("cublasLtMatmulPreferenceSetAttribute", MatmulPreferenceSetAttribute);
  if (!has_all) {
    why_not_ = "cuBLASLt lacks a function that this build needs";
    return;
  }
  const cublasStatus_t status = create_(&handle_);
  if (status != CUBLAS_STATUS_SUCCESS) {
    handle_ = nullptr;
    why_not_ = fmt::format("cuBLASLt cannot be used: {}", get_status_string_(status));
  }
}

CublasLt::~CublasLt() {
  if (handle_ != nullptr) {
    destroy_(handle_);
  }
}

std::string CublasLt::version() const {
  const std::size_t version = get_version_();
  return version >= 100000 ? fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100)
                           : fmt::format("{}.{}.{}", version / 1000, version / 100 % 10, version % 100);
}

void CublasLt::check_status(cublasStatus_t status, const std::string& what) const {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw_error(Error::Kind::device, "{}: cuBLASLt: {}", what, get_status_string_(status));
  }
}

}  // namespace duel

// cuBLASLt, loaded when it is there, with its handle; and its return codes as errors.
#pragma once

#include "kernels/cuda/shared_library.h"

#include <cublasLt.h>

#include <string>

namespace duel {

class CublasLt {
public:
  CublasLt();
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  bool is_usable() const { return handle_ != nullptr; }
  const std::string& why_not() const { return why_not_; }
  std::string version() const;  // "13.1.0"
  cublasLtHandle_t handle() const { return handle_; }

  // Throws kind `device` with `what` and the library's own text unless `status` is success.
  void check_status(cublasStatus_t status, const std::string& what) const;

  // The library's functions, under their names without the prefix cublasLt.
  decltype(&cublasLtMatmul) Matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) MatmulAlgoGetHeuristic = nullptr;
  decltype(&cublasLtMatmulAlgoCheck) MatmulAlgoCheck = nullptr;
  decltype(&cublasLtMatmulAlgoConfigGetAttribute) MatmulAlgoConfigGetAttribute = nullptr;
  decltype(&cublasLtMatmulDescCreate) MatmulDescCreate = nullptr;
  decltype(&cublasLtMatmulDescDestroy) MatmulDescDestroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) MatmulDescSetAttribute = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) MatrixLayoutCreate = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) MatrixLayoutDestroy = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) MatmulPreferenceCreate = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) MatmulPreferenceDestroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) MatmulPreferenceSetAttribute = nullptr;

private:
  SharedLibrary library_;
  cublasLtHandle_t handle_ = nullptr;
  std::string why_not_;
  decltype(&cublasLtCreate) create_ = nullptr;
  decltype(&cublasLtDestroy) destroy_ = nullptr;
  decltype(&cublasLtGetVersion) get_version_ = nullptr;
  decltype(&cublasLtGetStatusString) get_status_string_ = nullptr;
};

}  // namespace duel

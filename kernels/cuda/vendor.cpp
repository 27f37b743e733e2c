#include "kernels/cuda/vendor.h"

// Where a library's headers are missing, so are its files here, and its calls are never reached.
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

#if __has_include(<cudnn.h>)
#include "kernels/cuda/conv2d_cudnn.h"
#include "kernels/cuda/cudnn.h"
#define DUEL_HAS_CUDNN 1
#else
#define DUEL_HAS_CUDNN 0
namespace duel {
class Cudnn {};
}  // namespace duel
#endif

namespace duel {

namespace {

// Opens a library; where that fails, says why and leaves none.
template <class Library>
void open(std::unique_ptr<Library>& library, std::string& why_none) {
  library = std::make_unique<Library>();
  if (!library->is_usable()) {
    why_none += (why_none.empty() ? "" : "; ") + library->why_not();
    library.reset();
  }
}

template <class Library>
void add_version([[maybe_unused]] const std::unique_ptr<Library>& library, [[maybe_unused]] const char* name,
                 [[maybe_unused]] std::vector<std::pair<std::string, std::string>>& list) {
  if (library) {
    list.emplace_back(name, library->version());
  }
}

}  // namespace

Vendor::Vendor(bool is_wanted) {
  if (!is_wanted) {
    return;
  }
#if DUEL_HAS_CUBLASLT
  open(cublaslt_, why_none_);  // first: cuDNN looks for it by name
#endif
#if DUEL_HAS_CUDNN
  open(cudnn_, why_none_);
#endif
#if !DUEL_HAS_CUBLASLT && !DUEL_HAS_CUDNN
  why_none_ = "this build was made without the headers of cuBLASLt and cuDNN";
#endif
}

Vendor::~Vendor() = default;

std::vector<std::pair<std::string, std::string>> Vendor::versions() const {
  std::vector<std::pair<std::string, std::string>> list;
#if DUEL_HAS_CUBLASLT
  add_version(cublaslt_, "cuBLASLt", list);
#endif
#if DUEL_HAS_CUDNN
  add_version(cudnn_, "cuDNN", list);
#endif
  return list;
}

// The arguments are all that a build without a library does not use.
#if DUEL_HAS_CUBLASLT
Vendor::Plans Vendor::matmul_plans(const Matmul& matmul, bool allow_tf32, View a, View b, View bias, View y) const {
  return cublaslt_ ? cublaslt_matmul_plans(*cublaslt_, matmul, allow_tf32, a, b, bias, y) : nullptr;
}
#else
Vendor::Plans Vendor::matmul_plans(const Matmul&, bool, View, View, View, View) const {
  return nullptr;
}
#endif

#if DUEL_HAS_CUDNN
Vendor::Plans Vendor::conv2d_forward_plans(const Conv2d& conv, const Activation& activation, bool allow_tf32, View x,
                                           View w, View bias, View y) const {
  return cudnn_ ? cudnn_conv2d_forward_plans(*cudnn_, conv, activation, allow_tf32, x, w, bias, y) : nullptr;
}

Vendor::Plans Vendor::conv2d_backward_input_plans(const Conv2d& conv, bool allow_tf32, View dy, View w, View dx) const {
  return cudnn_ ? cudnn_conv2d_backward_input_plans(*cudnn_, conv, allow_tf32, dy, w, dx) : nullptr;
}

Vendor::Plans Vendor::conv2d_backward_weight_plans(const Conv2d& conv, bool allow_tf32, View x, View dy,
                                                   View dw) const {
  return cudnn_ ? cudnn_conv2d_backward_weight_plans(*cudnn_, conv, allow_tf32, x, dy, dw) : nullptr;
}
#else
Vendor::Plans Vendor::conv2d_forward_plans(const Conv2d&, const Activation&, bool, View, View, View, View) const {
  return nullptr;
}

Vendor::Plans Vendor::conv2d_backward_input_plans(const Conv2d&, bool, View, View, View) const {
  return nullptr;
}

Vendor::Plans Vendor::conv2d_backward_weight_plans(const Conv2d&, bool, View, View, View) const {
  return nullptr;
}
#endif

}  // namespace duel

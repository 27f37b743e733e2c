#include "kernels/cuda/cudnn.h"

#include "kernels/check.h"

#include <fmt/format.h>

#include <array>

namespace duel {

namespace {

std::string library_name() {
  return fmt::format("libcudnn.so.{}", CUDNN_MAJOR);  // attributes differ from one major version to the next
}

}  // namespace

Cudnn::Cudnn() : library_({library_name()}) {
  if (!find_functions()) {
    return;
  }
  const cudnnStatus_t status = create_(&handle_);
  if (status != CUDNN_STATUS_SUCCESS) {
    handle_ = nullptr;
    why_not_ = fmt::format("cuDNN cannot be used: {}", get_error_string_(status));
  }
}

Cudnn::Cudnn([[maybe_unused]] const std::string& device_json) : library_({library_name()}) {
  if (!find_functions()) {
    return;
  }
#if CUDNN_VERSION >= 90800
  cudnnStatus_t status = BackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &device_);
  if (status == CUDNN_STATUS_SUCCESS) {
    status = BackendSetAttribute(device_, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                 static_cast<std::int64_t>(device_json.size()), device_json.data());
  }
  if (status == CUDNN_STATUS_SUCCESS) {
    status = BackendFinalize(device_);
  }
  if (status != CUDNN_STATUS_SUCCESS) {
    why_not_ = fmt::format("cuDNN does not take this description of a GPU: {}", get_error_string_(status));
  }
#else
  why_not_ = "cuDNN makes plans for a GPU that is described from 9.8 on";
#endif
}

Cudnn::~Cudnn() {
  if (device_ != nullptr) {
    BackendDestroyDescriptor(device_);
  }
  if (handle_ != nullptr) {
    destroy_(handle_);
  }
}

bool Cudnn::find_functions() {
  if (!library_.is_loaded()) {
    why_not_ = library_.why_not();
    return false;
  }
  const bool has_all =
      library_.find("cudnnCreate", create_) && library_.find("cudnnDestroy", destroy_) &&
      library_.find("cudnnGetVersion", get_version_) && library_.find("cudnnGetErrorString", get_error_string_) &&
      library_.find("cudnnGetLastErrorString", get_last_error_string_) && library_.find("cudnnSetStream", SetStream) &&
      library_.find("cudnnBackendCreateDescriptor", BackendCreateDescriptor) &&
      library_.find("cudnnBackendDestroyDescriptor", BackendDestroyDescriptor) &&
      library_.find("cudnnBackendSetAttribute", BackendSetAttribute) &&
      library_.find("cudnnBackendGetAttribute", BackendGetAttribute) &&
      library_.find("cudnnBackendFinalize", BackendFinalize) && library_.find("cudnnBackendExecute", BackendExecute);
  if (!has_all) {
    why_not_ = "cuDNN lacks a function that this build needs";
  }
  return has_all;
}

std::string Cudnn::version() const {
  const std::size_t version = get_version_();
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::string Cudnn::last_error() const {
  std::array<char, 1024> text{};
  get_last_error_string_(text.data(), text.size());
  text.back() = '\0';
  return text.data();
}

void Cudnn::check_status(cudnnStatus_t status, const std::string& what) const {
  if (status != CUDNN_STATUS_SUCCESS) {
    const std::string more = last_error();
    throw_error(Error::Kind::device, "{}: cuDNN: {}{}", what, get_error_string_(status),
                more.empty() ? "" : fmt::format(" ({})", more));
  }
}

}  // namespace duel

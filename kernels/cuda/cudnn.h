// cuDNN, loaded when it is there, with its handle; and its return codes as errors.
#pragma once

#include "kernels/cuda/shared_library.h"

#include <cudnn.h>

#include <string>

namespace duel {

class Cudnn {
public:
  // For the current device.
  Cudnn();
  // For a GPU that is described, as CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION has it, and need not be here: plans can
  // be made for it, but not run. From cuDNN 9.8 on.
  explicit Cudnn(const std::string& device_json);
  ~Cudnn();
  Cudnn(const Cudnn&) = delete;
  Cudnn& operator=(const Cudnn&) = delete;

  bool is_usable() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }
  std::string version() const;  // "9.19.0"

  cudnnHandle_t handle() const { return handle_; }                       // null where a device is described
  cudnnBackendDescriptor_t described_device() const { return device_; }  // null where there is a handle

  // Throws kind `device` with `what` and the library's own text unless `status` is success.
  void check_status(cudnnStatus_t status, const std::string& what) const;

  // The library's functions, under their names without the prefix cudnn.
  decltype(&cudnnSetStream) SetStream = nullptr;
  decltype(&cudnnBackendCreateDescriptor) BackendCreateDescriptor = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) BackendDestroyDescriptor = nullptr;
  decltype(&cudnnBackendSetAttribute) BackendSetAttribute = nullptr;
  decltype(&cudnnBackendGetAttribute) BackendGetAttribute = nullptr;
  decltype(&cudnnBackendFinalize) BackendFinalize = nullptr;
  decltype(&cudnnBackendExecute) BackendExecute = nullptr;

private:
  bool find_functions();
  std::string last_error() const;

  SharedLibrary library_;
  cudnnHandle_t handle_ = nullptr;
  cudnnBackendDescriptor_t device_ = nullptr;
  std::string why_not_;
  decltype(&cudnnCreate) create_ = nullptr;
  decltype(&cudnnDestroy) destroy_ = nullptr;
  decltype(&cudnnGetVersion) get_version_ = nullptr;
  decltype(&cudnnGetErrorString) get_error_string_ = nullptr;
  decltype(&cudnnGetLastErrorString) get_last_error_string_ = nullptr;
};

}  // namespace duel

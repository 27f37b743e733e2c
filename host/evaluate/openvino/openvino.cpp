#include "host/evaluate/openvino/openvino.h"

#include "host/files/cache_folder.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace duel {

OpenVino::OpenVino() {
  if (load() && !find_functions()) {
    why_not_ = fmt::format("{} lacks a function that this build needs", file_);
  }
}

bool OpenVino::load() {
  std::vector<std::filesystem::path> folders;
  if (const char* given = std::getenv("DUEL_OPENVINO"); given != nullptr && *given != '\0') {
    folders = {given};
  } else {
    folders = {DUEL_OPENVINO_FOLDER, cache_folder() / "openvino"};
  }
  std::string word;
  for (const std::filesystem::path& folder : folders) {
    file_ = (folder / "libs" / DUEL_OPENVINO_LIBRARY).string();
    handle_ = ::dlopen(file_.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      return true;
    }
    word = ::dlerror();
  }
  why_not_ = fmt::format(
      "OpenVINO cannot be loaded ({}); bash tools/get_onnx_runtime.sh gets it, and DUEL_OPENVINO can name its folder",
      word);
  return false;
}

bool OpenVino::find_functions() {
  const auto find = [&]<class Function>(const char* symbol, Function*& function) {
    function = reinterpret_cast<Function*>(::dlsym(handle_, symbol));
    return function != nullptr;
  };
  return find("ov_core_create", core_create) && find("ov_core_free", core_free) &&
         find("ov_core_read_model_from_memory_buffer", core_read_model_from_memory_buffer) &&
         find("ov_core_compile_model", core_compile_model) && find("ov_model_free", model_free) &&
         find("ov_model_inputs_size", model_inputs_size) && find("ov_model_outputs_size", model_outputs_size) &&
         find("ov_model_const_input_by_index", model_const_input_by_index) &&
         find("ov_model_const_output_by_index", model_const_output_by_index) &&
         find("ov_model_reshape_single_input", model_reshape_single_input) &&
         find("ov_output_const_port_free", output_const_port_free) && find("ov_port_get_any_name", port_get_any_name) &&
         find("ov_port_get_element_type", port_get_element_type) &&
         find("ov_port_get_partial_shape", port_get_partial_shape) &&
         find("ov_partial_shape_create_static", partial_shape_create_static) &&
         find("ov_partial_shape_free", partial_shape_free) &&
         find("ov_compiled_model_create_infer_request", compiled_model_create_infer_request) &&
         find("ov_compiled_model_free", compiled_model_free) &&
         find("ov_infer_request_get_input_tensor", infer_request_get_input_tensor) &&
         find("ov_infer_request_get_output_tensor", infer_request_get_output_tensor) &&
         find("ov_infer_request_infer", infer_request_infer) && find("ov_infer_request_free", infer_request_free) &&
         find("ov_tensor_data", tensor_data) && find("ov_tensor_get_shape", tensor_get_shape) &&
         find("ov_tensor_free", tensor_free) && find("ov_shape_free", shape_free) && find("ov_free", free) &&
         find("ov_get_openvino_version", get_openvino_version_) && find("ov_version_free", version_free_) &&
         find("ov_get_last_err_msg", get_last_err_msg_);
}

std::string OpenVino::version() const {
  ov_version_t its{};
  if (get_openvino_version_(&its) != OK) {
    return "of an unknown version";
  }
  std::string text = its.buildNumber;
  version_free_(&its);
  return text;
}

std::string OpenVino::last_error() const {
  const char* message = get_last_err_msg_();
  std::istringstream lines(message == nullptr ? "" : message);
  if (message != nullptr) {
    free(message);
  }
  std::string reason;  // behind where in its source it was found, so the last one
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) {
      reason = line;
    }
  }
  return reason.empty() ? "it gives no reason" : reason;
}

}  // namespace duel

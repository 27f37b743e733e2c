// OpenVINO's C interface, loaded when it is asked for.
#pragma once

#include <openvino/c/openvino.h>

#include <string>

namespace duel {

class OpenVino {
public:
  // From $DUEL_OPENVINO, a folder that has libs/; where that is not set, from the folder that Duel was built with, else
  // from openvino in the cache (host/files/cache_folder.h). It stays loaded, for it has threads of its own.
  OpenVino();

  bool is_usable() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }
  const std::string& file() const { return file_; }  // that was loaded
  std::string version() const;                       // "2026.4.1-22982-..."
  // The last failed call's reason, in a line.
  std::string last_error() const;

  // The library's functions, under their names without the prefix ov_.
  decltype(&ov_core_create) core_create = nullptr;
  decltype(&ov_core_free) core_free = nullptr;
  decltype(&ov_core_read_model_from_memory_buffer) core_read_model_from_memory_buffer = nullptr;
  decltype(&ov_core_compile_model) core_compile_model = nullptr;
  decltype(&ov_model_free) model_free = nullptr;
  decltype(&ov_model_inputs_size) model_inputs_size = nullptr;
  decltype(&ov_model_outputs_size) model_outputs_size = nullptr;
  decltype(&ov_model_const_input_by_index) model_const_input_by_index = nullptr;
  decltype(&ov_model_const_output_by_index) model_const_output_by_index = nullptr;
  decltype(&ov_model_reshape_single_input) model_reshape_single_input = nullptr;
  decltype(&ov_output_const_port_free) output_const_port_free = nullptr;
  decltype(&ov_port_get_any_name) port_get_any_name = nullptr;
  decltype(&ov_port_get_element_type) port_get_element_type = nullptr;
  decltype(&ov_port_get_partial_shape) port_get_partial_shape = nullptr;
  decltype(&ov_partial_shape_create_static) partial_shape_create_static = nullptr;
  decltype(&ov_partial_shape_free) partial_shape_free = nullptr;
  decltype(&ov_compiled_model_create_infer_request) compiled_model_create_infer_request = nullptr;
  decltype(&ov_compiled_model_free) compiled_model_free = nullptr;
  decltype(&ov_infer_request_get_input_tensor) infer_request_get_input_tensor = nullptr;
  decltype(&ov_infer_request_get_output_tensor) infer_request_get_output_tensor = nullptr;
  decltype(&ov_infer_request_infer) infer_request_infer = nullptr;
  decltype(&ov_infer_request_free) infer_request_free = nullptr;
  decltype(&ov_tensor_data) tensor_data = nullptr;
  decltype(&ov_tensor_get_shape) tensor_get_shape = nullptr;
  decltype(&ov_tensor_free) tensor_free = nullptr;
  decltype(&ov_shape_free) shape_free = nullptr;
  decltype(&ov_free) free = nullptr;

private:
  bool load();
  bool find_functions();

  void* handle_ = nullptr;
  std::string file_, why_not_;
  decltype(&ov_get_openvino_version) get_openvino_version_ = nullptr;
  decltype(&ov_version_free) version_free_ = nullptr;
  decltype(&ov_get_last_err_msg) get_last_err_msg_ = nullptr;
};

}  // namespace duel

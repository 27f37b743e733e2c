// Where OpenVINO was not found when Duel was built.
#include "host/evaluate/onnx_network.h"

#include "kernels/check.h"

namespace duel {

namespace {

constexpr const char* kWhy =
    "this build of duel runs no ONNX files, because OpenVINO was not found when it was built; bash "
    "tools/get_onnx_runtime.sh gets it, then configure and build again";

}  // namespace

std::unique_ptr<OnnxNetwork> read_onnx_network(const std::string& name, std::span<const std::byte>) {
  throw_error(Error::Kind::usage, "{}: {}", name, kWhy);
}

OnnxLibrary onnx_library() {
  return {false, kWhy};
}

}  // namespace duel

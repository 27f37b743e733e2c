// A graph as the bytes of an ONNX file: IR version 8, operator set 17.
#pragma once

#include "host/export/onnx_graph.h"

#include <map>
#include <string>

namespace duel {

// `metadata` goes into the model's metadata_props, the version of this program into producer_version. Throws kind
// `usage` where the weights are more than a file of this format holds.
std::string to_onnx(const OnnxGraph& graph, const std::map<std::string, std::string>& metadata,
                    const std::string& version);

}  // namespace duel

#include "host/evaluate/onnx_network.h"

#include <fmt/format.h>

namespace duel {

std::string to_text(const OnnxPort& port) {
  if (!port.has_rank) {
    return port.type + " of any rank";
  }
  std::string extents;
  for (const std::int64_t extent : port.extents) {
    extents += fmt::format("{}{}", extents.empty() ? "" : ",", extent < 0 ? "?" : fmt::format("{}", extent));
  }
  return fmt::format("{} [{}]", port.type, extents);
}

}  // namespace duel

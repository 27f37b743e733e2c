#include "host/config/device_name.h"

#include <charconv>

namespace duel {

std::optional<int> cuda_number(std::string_view device) {
  if (device == "cuda") {
    return 0;
  }
  constexpr std::string_view kPrefix = "cuda:";
  if (!device.starts_with(kPrefix) || device.size() > kPrefix.size() + 2) {
    return std::nullopt;
  }
  device.remove_prefix(kPrefix.size());
  unsigned number = 0;
  const auto [rest, failure] = std::from_chars(device.data(), device.data() + device.size(), number);
  if (failure != std::errc() || rest != device.data() + device.size()) {
    return std::nullopt;
  }
  return static_cast<int>(number);
}

}  // namespace duel

#include "host/run/weights_hash.h"

#include "host/files/crc32c.h"
#include "host/files/safetensors.h"
#include "host/run/checkpoint.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string_view>

namespace duel {

namespace {

std::uint32_t checksum_of(const SafetensorsFile& file, const std::string& name) {
  const std::optional<std::uint32_t>& known = file.entry(name).checksum;
  return known ? *known : crc32c(file.read(name));
}

// By its name from the network's on.
std::map<std::string, std::uint32_t> checksums_under(const SafetensorsFile& file, const std::string& folder,
                                                     const std::string& network) {
  std::map<std::string, std::uint32_t> checksums;
  for (const auto& [name, entry] : file.entries()) {
    if (name.starts_with(folder + network + "/")) {
      checksums.emplace(name.substr(folder.size()), checksum_of(file, name));
    }
  }
  return checksums;
}

}  // namespace

std::string weights_hash(const std::filesystem::path& checkpoint, const std::string& network) {
  const SafetensorsFile file(checkpoint / kTensorFile);
  std::map<std::string, std::uint32_t> tensors = checksums_under(file, "average/", network);
  if (tensors.empty()) {
    tensors = checksums_under(file, "", network);
  }
  if (tensors.empty()) {
    throw_error(Error::Kind::data, "{}: has no weights of a network {}", file.path().string(), network);
  }
  tensors.merge(checksums_under(file, "state/", network));
  std::uint32_t hash = 0;
  for (const auto& [name, checksum] : tensors) {
    const std::string line = fmt::format("{} {:08x}\n", name, checksum);
    hash = crc32c(std::as_bytes(std::span(line)), hash);
  }
  return fmt::format("crc32c {:08x}", hash);
}

}  // namespace duel

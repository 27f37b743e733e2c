#include "host/files/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace duel {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  constexpr std::size_t kChunk = std::size_t{1} << 30;  // ISA-L takes the length as an int
  // ISA-L leaves both inversions of the standard to the caller, and reads through a pointer that is not const.
  std::uint32_t state = ~before;
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kChunk);
    auto* data = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
    state = crc32_iscsi(data, static_cast<int>(count), state);
    bytes = bytes.subspan(count);
  }
  return ~state;
}

}  // namespace duel

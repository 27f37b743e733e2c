#include "host/files/sha256.h"

#include <sys/types.h>

#include <sha256.h>

#include <array>
#include <cstdint>

namespace duel {

std::string sha256(std::span<const std::byte> bytes) {
  std::array<char, SHA256_DIGEST_STRING_LENGTH> digits{};
  ::SHA256Data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), digits.data());
  return digits.data();
}

}  // namespace duel

// CRC-32C (Castagnoli), the checksum of iSCSI and of TensorBoard's records: finds flipped bits in stored tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace duel {

// `before` is the checksum of the bytes in front, so that crc32c(b, crc32c(a)) is the checksum of a and b in a row.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace duel

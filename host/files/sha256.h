// SHA-256, by which people compare files of weights: as `sha256sum` prints it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace duel {

std::string sha256(std::span<const std::byte> bytes);  // 64 hexadecimal digits

}  // namespace duel

// What the references compute on: the values of an array in double, row-major, without a type or a device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace duel::test::reference {

using Array = std::vector<double>;

inline std::size_t at(std::int64_t index) {
  return static_cast<std::size_t>(index);
}

}  // namespace duel::test::reference

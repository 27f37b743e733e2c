// All rows of a source's field, read one by one.
#pragma once

#include "host/data/source.h"

#include <cstddef>
#include <string>
#include <vector>

namespace duel::test {

template <class T>
std::vector<T> read_field(const Source& source, const std::string& name) {
  const std::size_t field = field_index(source, name), bytes = source.fields()[field].row_bytes();
  std::vector<T> rows(static_cast<std::size_t>(source.count()) * bytes / sizeof(T));
  auto* to = reinterpret_cast<std::byte*>(rows.data());
  for (std::int64_t row = 0; row < source.count(); ++row, to += bytes) {
    source.read(row, field, to);
  }
  return rows;
}

}  // namespace duel::test

#include "host/data/first_rows.h"

namespace duel {

std::vector<std::byte> first_rows(const Source& source, const Field& field, int count) {
  const std::size_t index = field_index(source, field.name), bytes = field.row_bytes();
  std::vector<std::byte> rows(static_cast<std::size_t>(count) * bytes);
  for (int i = 0; i < count; ++i) {
    source.read(i % source.count(), index, rows.data() + static_cast<std::size_t>(i) * bytes);
  }
  return rows;
}

}  // namespace duel

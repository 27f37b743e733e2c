#include "host/evaluate/picture_set.h"

#include <cstddef>

namespace duel {

std::vector<SourceRow> rows_of(const Source& source) {
  std::vector<SourceRow> rows;
  const bool has_labels = has_field(source, "label");
  const std::size_t field = has_labels ? field_index(source, "label") : 0;
  for (std::int64_t row = 0; row < source.count(); ++row) {
    std::int32_t label = -1;
    if (has_labels) {
      source.read(row, field, reinterpret_cast<std::byte*>(&label));
    }
    rows.push_back({&source, row, label});
  }
  return rows;
}

void SourcePictures::read(std::int64_t first, std::int64_t count, std::span<std::uint8_t> to) {
  const std::size_t bytes = to.size() / static_cast<std::size_t>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const SourceRow& row = rows_[static_cast<std::size_t>(first + i)];
    const std::span<std::uint8_t> its = to.subspan(static_cast<std::size_t>(i) * bytes, bytes);
    row.source->read(row.row, field_index(*row.source, "picture"), std::as_writable_bytes(its).data());
  }
}

}  // namespace duel

#include "host/data/memory_source.h"

#include "host/files/crc32c.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

namespace duel {

namespace {

std::string extents_of(const Shape& shape) {  // of a row: "28x28x1"
  std::string text;
  for (int axis = 1; axis < shape.rank(); ++axis) {
    text.append(text.empty() ? "" : "x").append(std::to_string(shape[axis]));
  }
  return text.empty() ? "1" : text;
}

// Labels stay out: a run goes on where they are added to its pictures or corrected.
std::string fingerprint_of(std::int64_t count, const std::vector<MemorySource::Column>& columns) {
  std::string text;
  for (const auto& [field, rows] : columns) {
    if (field.kind == FieldKind::label) {
      continue;
    }
    const std::string extents = extents_of(field.shape);
    text += text.empty() ? fmt::format("{} {}s of {}", count, field.name, extents)
                         : fmt::format("; {} of {}", field.name, extents);
    text += fmt::format(", crc32c {:08x}", crc32c(std::as_bytes(std::span(rows))));
  }
  return text.empty() ? fmt::format("{} rows", count) : text;
}

template <class T>
std::vector<std::uint8_t> copy_bytes(std::span<const T> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  std::vector<std::uint8_t> copied(bytes.size());
  std::transform(bytes.begin(), bytes.end(), copied.begin(), std::to_integer<std::uint8_t>);
  return copied;
}

}  // namespace

MemorySource::MemorySource(std::string name, std::vector<Column> columns)
    : name_(std::move(name)), columns_(std::move(columns)) {
  check(!columns_.empty(), "{}: a source needs a field", name_);
  for (const Column& column : columns_) {
    const Field& field = column.field;
    const std::size_t row_bytes = field.row_bytes();
    check(!has_field(*this, field.name), "{}: the field '{}' is given twice", name_, field.name);
    check(column.rows.size() % row_bytes == 0, "{}: the field '{}' has {} bytes, which are no whole rows of {}", name_,
          field.name, column.rows.size(), row_bytes);
    const auto rows = static_cast<std::int64_t>(column.rows.size() / row_bytes);
    if (fields_.empty()) {
      count_ = rows;
    }
    if (rows != count_) {
      throw_error(Error::Kind::data, "{}: the field '{}' has {} rows, but '{}' has {}", name_, field.name, rows,
                  columns_.front().field.name, count_);
    }
    if (field.kind == FieldKind::label) {
      check_labels(column);
    }
    fields_.push_back(field);
  }
  if (count_ < 1 || count_ > std::numeric_limits<std::int32_t>::max()) {
    throw_error(Error::Kind::data, "{}: has {} rows; 1 to {} are read", name_, count_,
                std::numeric_limits<std::int32_t>::max());
  }
  fingerprint_ = fingerprint_of(count_, columns_);
}

void MemorySource::check_labels(const Column& column) const {
  const Field& field = column.field;
  for (std::size_t row = 0; row < column.rows.size() / sizeof(std::int32_t); ++row) {
    std::int32_t label = 0;
    std::memcpy(&label, column.rows.data() + row * sizeof label, sizeof label);
    if (label < 0 || static_cast<std::size_t>(label) >= field.names.size()) {
      throw_error(Error::Kind::data, "{}: the {} of row {} is {}, but there are {} classes, counted from 0", name_,
                  field.name, row, label, field.names.size());
    }
  }
}

void MemorySource::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const std::size_t bytes = fields_[field].row_bytes();
  std::memcpy(to, columns_[field].rows.data() + static_cast<std::size_t>(row) * bytes, bytes);
}

std::vector<std::uint8_t> bytes_of(std::span<const std::int32_t> values) {
  return copy_bytes(values);
}
std::vector<std::uint8_t> bytes_of(std::span<const float> values) {
  return copy_bytes(values);
}

}  // namespace duel

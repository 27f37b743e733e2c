// A source whose rows lie in memory: IDX files once read, synthetic pictures, a recorded batch.
#pragma once

#include "host/data/source.h"

#include <span>
#include <string>
#include <vector>

namespace duel {

class MemorySource : public Source {
public:
  struct Column {
    Field field;
    std::vector<std::uint8_t> rows;  // [count] of field.row_bytes(), in the memory's own byte order
  };

  // Throws kind `data` where fields hold different numbers of rows, and where a label counts no class of its names.
  MemorySource(std::string name, std::vector<Column> columns);

  const std::string& name() const override { return name_; }
  std::int64_t count() const override { return count_; }
  const std::vector<Field>& fields() const override { return fields_; }
  // The first picture's extents and checksum; those of further pictures, masks and vectors follow with their names.
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;

private:
  void check_labels(const Column& column) const;

  std::string name_;
  std::vector<Field> fields_;
  std::vector<Column> columns_;
  std::int64_t count_ = 0;
  std::string fingerprint_;
};

// The bytes of a column of labels or vectors.
std::vector<std::uint8_t> bytes_of(std::span<const std::int32_t> values);
std::vector<std::uint8_t> bytes_of(std::span<const float> values);

}  // namespace duel

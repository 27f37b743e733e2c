// A source of pictures with labels that are picked out of others, in an order of its own.
#pragma once

#include "host/data/source.h"
#include "host/evaluate/picture_set.h"

#include <string>
#include <vector>

namespace duel {

class ChosenRows : public Source {
public:
  // All rows' sources have a "picture" and a "label" as `like` has them, and outlive this.
  ChosenRows(const Source& like, std::vector<SourceRow> rows);

  const std::string& name() const override { return name_; }
  std::int64_t count() const override { return std::ssize(rows_); }
  const std::vector<Field>& fields() const override { return fields_; }
  const std::string& fingerprint() const override { return fingerprint_; }
  void read(std::int64_t row, std::size_t field, std::byte* to) const override;

private:
  std::string name_, fingerprint_;
  std::vector<Field> fields_;
  std::vector<SourceRow> rows_;
};

}  // namespace duel

#include "host/augment/chosen_rows.h"

#include <fmt/format.h>

#include <utility>

namespace duel {

ChosenRows::ChosenRows(const Source& like, std::vector<SourceRow> rows)
    : name_(like.name()),
      fingerprint_(fmt::format("{} rows chosen from {}", rows.size(), like.fingerprint())),
      fields_({field_named(like, "picture"), field_named(like, "label")}),
      rows_(std::move(rows)) {}

void ChosenRows::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const SourceRow& its = rows_[static_cast<std::size_t>(row)];
  its.source->read(its.row, field_index(*its.source, fields_[field].name), to);
}

}  // namespace duel

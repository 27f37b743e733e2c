#include "host/data/relabelled_source.h"

#include "kernels/check.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace duel {

namespace {

int place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

}  // namespace

RelabelledSource::RelabelledSource(const Source& source, const std::vector<Field>& fields)
    : source_(source), fields_(fields), rows_(static_cast<std::size_t>(source.count())) {
  std::iota(rows_.begin(), rows_.end(), 0);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    places_.push_back(field_index(source_, fields_[i].name));
    names_.emplace_back();
    switch (fields_[i].kind) {
      case FieldKind::label: match_classes(i); break;
      case FieldKind::attributes: match_attributes(i); break;
      default: break;
    }
  }
  const std::size_t all = static_cast<std::size_t>(source.count());
  fingerprint_ =
      rows_.size() == all ? source.fingerprint() : fmt::format("{} of {}", rows_.size(), source.fingerprint());
}

void RelabelledSource::match_classes(std::size_t field) {
  const std::vector<std::string>& theirs = source_.fields()[places_[field]].names;
  const std::vector<std::string>& ours = fields_[field].names;
  std::vector<int>& places = names_[field];
  std::transform(theirs.begin(), theirs.end(), std::back_inserter(places),
                 [&](const std::string& name) { return place_of(ours, name); });
  std::vector<std::int64_t> kept;
  for (const std::int64_t row : rows_) {
    std::int32_t label = 0;
    source_.read(row, places_[field], reinterpret_cast<std::byte*>(&label));
    if (places[static_cast<std::size_t>(label)] >= 0) {
      kept.push_back(row);
    } else {
      ++left_out_[theirs[static_cast<std::size_t>(label)]];
    }
  }
  if (kept.empty()) {
    throw_error(Error::Kind::data, "{}: its classes are {}, of which the network knows none; it tells {}", name(),
                fmt::join(theirs, ", "), fmt::join(ours, ", "));
  }
  rows_ = std::move(kept);
}

void RelabelledSource::match_attributes(std::size_t field) {
  const std::vector<std::string>& theirs = source_.fields()[places_[field]].names;
  const std::vector<std::string>& ours = fields_[field].names;
  for (const std::string& name : ours) {
    names_[field].push_back(place_of(theirs, name));
    if (names_[field].back() < 0) {
      missing_.push_back(name);
    }
  }
  if (missing_.size() == ours.size()) {
    throw_error(Error::Kind::data, "{}: its attributes are {}, of which the network knows none; it tells {}", name(),
                fmt::join(theirs, ", "), fmt::join(ours, ", "));
  }
  std::copy_if(theirs.begin(), theirs.end(), std::back_inserter(unread_),
               [&](const std::string& name) { return place_of(ours, name) < 0; });
}

void RelabelledSource::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const std::int64_t their_row = rows_[static_cast<std::size_t>(row)];
  const std::vector<int>& places = names_[field];
  switch (fields_[field].kind) {
    case FieldKind::label: {
      std::int32_t label = 0;
      source_.read(their_row, places_[field], reinterpret_cast<std::byte*>(&label));
      label = places[static_cast<std::size_t>(label)];
      std::memcpy(to, &label, sizeof label);
      return;
    }
    case FieldKind::attributes: {
      std::vector<float> theirs(source_.fields()[places_[field]].names.size());
      source_.read(their_row, places_[field], reinterpret_cast<std::byte*>(theirs.data()));
      std::vector<float> ours;
      std::transform(places.begin(), places.end(), std::back_inserter(ours),
                     [&](int place) { return place < 0 ? -1.0F : theirs[static_cast<std::size_t>(place)]; });
      std::memcpy(to, ours.data(), ours.size() * sizeof(float));
      return;
    }
    default: source_.read(their_row, places_[field], to);
  }
}

}  // namespace duel

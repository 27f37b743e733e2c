#include "host/data/source.h"

#include "kernels/check.h"

#include <algorithm>
#include <utility>

namespace duel {

namespace {

std::string names_of(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields) {
    text.append(text.empty() ? "" : ", ").append(field.name);
  }
  return text;
}

}  // namespace

Field picture_field(const std::string& name, int height, int width, int channels) {
  check(channels >= 1 && channels <= 4, "{}: pictures have 1 to 4 channels, not {}", name, channels);
  return {name, FieldKind::picture, {1, height, width, channels}, DType::u8, kPictureScale};
}

Field label_field(const std::string& name, std::vector<std::string> names) {
  return {name, FieldKind::label, {1}, DType::i32, {}, std::move(names)};
}

const Source& source_named(const Data& data, const std::string& name) {
  const auto found = data.find(name);
  if (found == data.end()) {
    std::string there;
    for (const auto& [other, source] : data) {
      there.append(there.empty() ? "" : ", ").append(other);
    }
    throw_error(Error::Kind::data, "there is no source '{}'; there is: {}", name, there.empty() ? "none" : there);
  }
  return *found->second;
}

bool has_field(const Source& source, const std::string& name) {
  return std::any_of(source.fields().begin(), source.fields().end(),
                     [&](const Field& field) { return field.name == name; });
}

std::size_t field_index(const Source& source, const std::string& name) {
  const std::vector<Field>& fields = source.fields();
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) { return field.name == name; });
  if (found == fields.end()) {
    throw_error(Error::Kind::data, "{} has no field '{}'; it has: {}", source.name(), name, names_of(fields));
  }
  return static_cast<std::size_t>(found - fields.begin());
}

const Field& field_named(const Source& source, const std::string& name) {
  return source.fields()[field_index(source, name)];
}

const Source& main_source(const Data& data) {
  return source_named(data, "main");
}

std::string dataset_fingerprint(const Data& data) {
  std::string text;
  for (const auto& [name, source] : data) {
    text.append(text.empty() ? "" : "; ");
    if (name != "main") {
      text.append(name).append(": ");
    }
    text.append(source->fingerprint());
  }
  return text;
}

Shape picture_shape(const Source& source) {
  return field_named(source, "picture").shape;
}

std::vector<std::int64_t> class_counts(const Source& source, const std::string& label) {
  const std::size_t index = field_index(source, label);
  const Field& field = source.fields()[index];
  if (field.kind != FieldKind::label) {
    throw_error(Error::Kind::data, "{}: the field '{}' is no label", source.name(), label);
  }
  std::vector<std::int64_t> counts(field.names.size());
  for (std::int64_t row = 0; row < source.count(); ++row) {
    std::int32_t value = 0;
    source.read(row, index, reinterpret_cast<std::byte*>(&value));
    check(value >= 0 && static_cast<std::size_t>(value) < counts.size(),
          "{}: the {} of row {} is {}, but there are {} classes", source.name(), label, row, value, counts.size());
    ++counts[static_cast<std::size_t>(value)];
  }
  return counts;
}

void check_every_class_has_rows(const Source& source, const std::string& label) {
  const std::vector<std::int64_t> counts = class_counts(source, label);
  const auto empty = std::find(counts.begin(), counts.end(), 0);
  if (empty != counts.end()) {
    const std::size_t number = static_cast<std::size_t>(empty - counts.begin());
    throw_error(Error::Kind::data,
                "{}: no picture is of class {} ({}), so it cannot be learnt; {} of {} classes have none", source.name(),
                number, field_named(source, label).names[number], std::count(counts.begin(), counts.end(), 0),
                counts.size());
  }
}

}  // namespace duel

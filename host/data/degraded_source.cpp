#include "host/data/degraded_source.h"

#include "host/pictures/degrade.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace duel {

namespace {

std::string text_of(const Degradation& degradation, const Picture& form) {
  static constexpr const char* kWords[] = {"none", "smaller", "noise",   "blur", "motion",
                                           "jpeg", "hole",    "strokes", "grey", "edges"};
  return fmt::format("input {}x{}x{} by {} {}-{}", form.height, form.width, form.channels,
                     kWords[static_cast<int>(degradation.kind)], degradation.from, degradation.to);
}

}  // namespace

std::vector<Field> degraded_fields(const Degradation& degradation, const Shape& picture, int crop) {
  const Picture form = degraded_form(degradation, picture[1], picture[2], picture[3]);
  std::vector<Field> fields = {picture_field(kInputField, form.height, form.width, form.channels)};
  if (degradation.has_holes()) {
    const int height = crop > 0 ? crop : picture[1], width = crop > 0 ? crop : picture[2];
    if (degradation.from >= std::min(height, width)) {
      throw_error(Error::Kind::usage, "data.crop = {}: must be larger than the hole of {} pixels", crop,
                  degradation.from);
    }
    fields.push_back({kKnownField, FieldKind::mask, {1, height, width, 1}, DType::u8, {255.0F, 0.0F}});
  }
  return fields;
}

DegradedSource::DegradedSource(std::unique_ptr<const Source> source, const Degradation& degradation, int crop)
    : InputSource(std::move(source)),
      degradation_(degradation),
      crop_(crop),
      picture_(field_index(truth(), "picture")) {
  const Shape shape = picture_shape(truth());
  for (const Field& field : degraded_fields(degradation_, shape, crop_)) {
    add_field(field);
  }
  describe(text_of(degradation_, degraded_form(degradation_, shape[1], shape[2], shape[3])));
}

std::unique_ptr<const Source> DegradedSource::over(std::unique_ptr<const Source> truth) const {
  return std::make_unique<DegradedSource>(std::move(truth), degradation_, crop_);
}

void DegradedSource::read_added(std::int64_t row, std::size_t added, std::byte* to) const {
  const Field& field = fields()[truth().fields().size() + added];
  const auto number = static_cast<std::uint64_t>(row);
  if (field.kind == FieldKind::mask) {
    const std::vector<std::uint8_t> known = known_pixels(degradation_, field.shape[1], field.shape[2], number, true);
    std::memcpy(to, known.data(), known.size());
    return;
  }
  const Shape shape = picture_shape(truth());
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  truth().read(row, picture_, std::as_writable_bytes(std::span(picture.pixels)).data());
  const Picture input = degraded(degradation_, picture, number);
  std::memcpy(to, input.pixels.data(), input.pixels.size());
}

}  // namespace duel

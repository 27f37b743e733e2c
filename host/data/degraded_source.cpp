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

std::string text_of(const Degradation& degradation) {
  static constexpr const char* kWords[] = {"none", "smaller", "noise", "blur",  "motion", "jpeg",
                                           "hole", "strokes", "grey",  "edges", "one"};
  std::string text =
      fmt::format("{} {}-{}", kWords[static_cast<int>(degradation.kind)], degradation.from, degradation.to);
  for (const Degradation& job : degradation.jobs) {
    text += ", " + text_of(job);
  }
  return text;
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
  if (!degradation.jobs.empty()) {
    std::vector<std::string> words;
    for (const Degradation& job : degradation.jobs) {
      words.push_back(job.word);
    }
    fields.push_back(label_field(kJobField, std::move(words)));
  }
  for (const Degradation& job : degradation.jobs) {
    if (!job.is_drawn()) {
      fields.push_back(picture_field(input_field_of(job), picture[1], picture[2], picture[3]));
    }
  }
  return fields;
}

std::string input_field_of(const Degradation& job) {
  return std::string(kInputField) + "_" + job.word;
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
  const Picture form = degraded_form(degradation_, shape[1], shape[2], shape[3]);
  describe(fmt::format("input {}x{}x{} by {}", form.height, form.width, form.channels, text_of(degradation_)));
}

std::unique_ptr<const Source> DegradedSource::over(std::unique_ptr<const Source> truth) const {
  return std::make_unique<DegradedSource>(std::move(truth), degradation_, crop_);
}

void DegradedSource::read_added(std::int64_t row, std::size_t added, std::byte* to) const {
  const Field& field = fields()[truth().fields().size() + added];
  const std::vector<std::uint8_t> bytes = bytes_of(field.name, static_cast<std::uint64_t>(row));
  check(bytes.size() == field.row_bytes(), "degraded source: {} bytes of {}, not {}", bytes.size(), field.name,
        field.row_bytes());
  std::memcpy(to, bytes.data(), bytes.size());
}

std::vector<std::uint8_t> DegradedSource::bytes_of(const std::string& field, std::uint64_t row) const {
  if (field == kKnownField) {
    const Shape& shape = field_named(*this, field).shape;
    return known_pixels(degradation_, shape[1], shape[2], row, true);
  }
  if (field == kJobField) {
    const auto job = static_cast<std::int32_t>(job_of(degradation_, row));
    std::vector<std::uint8_t> bytes(sizeof(job));
    std::memcpy(bytes.data(), &job, sizeof(job));
    return bytes;
  }
  const auto job = std::find_if(degradation_.jobs.begin(), degradation_.jobs.end(),
                                [&](const Degradation& each) { return input_field_of(each) == field; });
  const Shape shape = picture_shape(truth());
  Picture picture{shape[1], shape[2], shape[3], std::vector<std::uint8_t>(static_cast<std::size_t>(shape.count()))};
  truth().read(static_cast<std::int64_t>(row), picture_, std::as_writable_bytes(std::span(picture.pixels)).data());
  return degraded(job == degradation_.jobs.end() ? degradation_ : *job, picture, row).pixels;
}

}  // namespace duel

#include "host/data/photograph_source.h"

#include "host/config/picture_options.h"
#include "host/files/crc32c.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>
#include <utility>

namespace duel {

namespace {

constexpr PictureExtents kUsualExtents = {64, 64};

// A checksum alone is too regular: names that differ in a digit would take turns.
std::uint32_t hash_of(const std::string& file) {
  return crc32c(std::as_bytes(std::span(file))) * std::uint32_t{2654435761};
}

void split(PhotographSet& set, int percent) {
  const std::uint64_t limit = (std::uint64_t{1} << 32) * static_cast<std::uint64_t>(percent) / 100;
  std::map<int, std::pair<std::uint32_t, std::size_t>> kept;  // of each class, the picture with the greatest hash
  const auto& pictures = set.folder.pictures;
  const auto has_row = [&](std::size_t place) { return set.decoded.pictures[place]->row >= 0; };
  for (std::size_t place = 0; place < pictures.size(); ++place) {
    if (has_row(place)) {
      auto& greatest = kept.try_emplace(pictures[place].label, 0, place).first->second;
      greatest = std::max(greatest, {hash_of(pictures[place].file), place});
    }
  }
  for (std::size_t place = 0; place < pictures.size(); ++place) {
    if (has_row(place)) {
      const bool is_kept = kept.at(pictures[place].label).second == place;
      (is_kept || hash_of(pictures[place].file) >= limit ? set.training : set.held_out).push_back(place);
    }
  }
}

std::string fingerprint_of(const PhotographSet& set, const std::vector<std::size_t>& places) {
  std::uint32_t checksum = 0;
  for (const std::size_t place : places) {
    const std::uint32_t pixels = set.decoded.pictures[place]->pixels;
    checksum = crc32c(std::as_bytes(std::span(&pixels, 1)), checksum);
  }
  const DecodedIndex& index = set.decoded.cache->index();
  return fmt::format("{} pictures of {}x{}x{}, crc32c {:08x}", places.size(), index.height, index.width, index.channels,
                     checksum);
}

// Where a column says something of the picture, its value is 1 and its other values are 0.
std::vector<float> attribute_values(const PhotographFolder& folder, const Photograph& picture) {
  const std::vector<int>& columns = folder.attribute_columns;
  std::vector<float> values(folder.attributes.size(), -1);
  for (const int attribute : picture.attributes) {
    const auto [first, last] =
        std::equal_range(columns.begin(), columns.end(), columns[static_cast<std::size_t>(attribute)]);
    std::fill(values.begin() + (first - columns.begin()), values.begin() + (last - columns.begin()), 0.0F);
    values[static_cast<std::size_t>(attribute)] = 1;
  }
  return values;
}

}  // namespace

PhotographSource::PhotographSource(std::shared_ptr<const PhotographSet> set, Part part)
    : set_(std::move(set)),
      places_(part == Part::training ? set_->training : set_->held_out),
      fingerprint_(fingerprint_of(*set_, places_)) {
  const DecodedIndex& index = set_->decoded.cache->index();
  fields_.push_back(picture_field("picture", index.height, index.width, index.channels));
  if (!set_->folder.classes.empty()) {
    fields_.push_back(label_field("label", set_->folder.classes));
  }
  if (const auto& attributes = set_->folder.attributes; !attributes.empty()) {
    fields_.push_back(
        {"attributes", FieldKind::attributes, {1, static_cast<int>(attributes.size())}, DType::f32, {}, attributes});
  }
}

void PhotographSource::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const std::size_t place = places_[static_cast<std::size_t>(row)];
  const Photograph& picture = set_->folder.pictures[place];
  switch (fields_[field].kind) {
    case FieldKind::picture: set_->decoded.cache->read(set_->decoded.pictures[place]->row, to); return;
    case FieldKind::label: {
      const std::int32_t label = picture.label;
      std::memcpy(to, &label, sizeof label);
      return;
    }
    default: {
      const std::vector<float> values = attribute_values(set_->folder, picture);
      std::memcpy(to, values.data(), values.size() * sizeof(float));
    }
  }
}

std::unique_ptr<const Source> PhotographSource::held_out() const {
  return set_->held_out.empty() ? nullptr : std::make_unique<PhotographSource>(set_, Part::held_out);
}

PictureForm picture_form(const Options::Data& options) {
  const PictureExtents extents = picture_extents(options.size).value_or(kUsualExtents);
  PictureForm form;
  form.height = extents.height;
  form.width = extents.width;
  form.fit = options.fit == "contain" ? Fit::contain : options.fit == "pad" ? Fit::pad : Fit::cover;
  form.background = colour_of_digits(options.background);
  form.channels = options.colour == "grey" ? 1 : options.colour == "colour" ? 3 : 0;
  if (options.alpha == "keep") {
    if (options.colour == "grey") {
      throw_error(Error::Kind::usage, "data.alpha = keep goes with colour; data.colour = grey has one channel");
    }
    form.channels = 4;
  }
  return form;
}

std::unique_ptr<const PhotographSource> open_photographs(PhotographFolder folder, const Options::Data& options,
                                                         const DecodeSettings& settings) {
  if (folder.pictures.empty()) {
    throw_error(Error::Kind::data, "{}: holds no picture that can be used; of {} files the first, {}: {}",
                folder.path.string(), folder.skipped.size(), folder.skipped.front().file,
                folder.skipped.front().reason);
  }
  auto set = std::make_shared<PhotographSet>();
  set->name = options.source;
  set->fit = settings.form.fit;
  set->folder = std::move(folder);
  set->decoded = decode_photographs(set->folder, settings);
  split(*set, options.held_out);
  return std::make_unique<PhotographSource>(std::move(set), PhotographSource::Part::training);
}

}  // namespace duel

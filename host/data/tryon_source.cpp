#include "host/data/tryon_source.h"

#include "host/data/photograph_source.h"
#include "host/data/scan_photographs.h"
#include "host/files/crc32c.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

struct Part {
  const char* name;
  int channels;
};
constexpr Part kTryonParts[] = {{"picture", 3}, {"person", 3}, {"body", 3}, {"garment", 4}, {"worn", 1}, {"flow", 3}};

bool folder_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void check_partners(const PhotographFolder& first, const PhotographFolder& other) {
  const auto by_file = [](const Photograph& a, const Photograph& b) { return a.file < b.file; };
  const auto lacking = [&](const PhotographFolder& from, const PhotographFolder& in) {
    const auto found = std::find_if(from.pictures.begin(), from.pictures.end(), [&](const Photograph& each) {
      return !std::binary_search(in.pictures.begin(), in.pictures.end(), each, by_file);
    });
    if (found != from.pictures.end()) {
      throw_error(Error::Kind::data, "{}: has no {}, which {} has; make the set again (tools/make_tryon.py)",
                  in.path.string(), found->file, from.path.string());
    }
  };
  lacking(first, other);
  lacking(other, first);
}

void check_pictures(const DecodedFolder& decoded, const PhotographFolder& folder, const Options::Data& options,
                    const PictureForm& form) {
  for (const DecodedPicture* each : decoded.pictures) {
    if (!each->fault.empty()) {
      throw_error(Error::Kind::data, "{}: {}", (folder.path / each->file).string(), each->fault);
    }
    if (each->facts.width != form.width || each->facts.height != form.height) {
      throw_error(Error::Kind::usage,
                  "data.size = {}: {} is {}x{}, and pictures of a try-on set are not brought to another size; give "
                  "--size {}x{}",
                  options.size, (folder.path / each->file).string(), each->facts.width, each->facts.height,
                  each->facts.width, each->facts.height);
    }
  }
}

// A left arm is red and green, a right one red and blue; of what an edge mixes them with only the head is red.
void swap_arms(std::uint8_t* pixel) {
  const int red = pixel[0], larger = std::max(pixel[1], pixel[2]), sum = red + larger;
  constexpr int kRounding = 2;
  const bool is_edge_of_head = std::abs(sum - 255) <= kRounding;
  const bool is_arm = sum > 255 + kRounding || (std::abs(red - larger) <= kRounding && !is_edge_of_head);
  if (is_arm) {
    std::uint8_t &from = pixel[1] >= pixel[2] ? pixel[1] : pixel[2], &to = pixel[1] >= pixel[2] ? pixel[2] : pixel[1];
    const int part = std::min(red, larger);
    from = static_cast<std::uint8_t>(from - part);
    to = static_cast<std::uint8_t>(std::min(to + part, 255));
  }
}

// The column's place on a garment that is mirrored too: 1 - it.
void mirror_place(std::uint8_t* pixel) {
  const int steps = 4095 - (pixel[0] << 4 | pixel[2] >> 4);
  pixel[0] = static_cast<std::uint8_t>(steps >> 4);
  pixel[2] = static_cast<std::uint8_t>((steps & 15) << 4 | (pixel[2] & 15));
}

void mirror(const Field& field, std::uint8_t* pixels) {
  const std::int64_t height = field.shape[1], width = field.shape[2], channels = field.shape[3];
  for (std::int64_t row = 0; row < height; ++row) {
    std::uint8_t* first = pixels + row * width * channels;
    for (std::int64_t column = 0; column < width / 2; ++column) {
      std::swap_ranges(first + column * channels, first + (column + 1) * channels,
                       first + (width - 1 - column) * channels);
    }
  }
  const auto each = [&](const auto& change) {
    for (std::int64_t pixel = 0; pixel < height * width; ++pixel) {
      change(pixels + pixel * channels);
    }
  };
  if (field.name == "body") {
    each(swap_arms);
  } else if (field.name == "flow") {
    each(mirror_place);
  }
}

}  // namespace

bool is_tryon_set(const fs::path& folder) {
  return folder_exists(folder / "train" / "person") && folder_exists(folder / "train" / "garment");
}

std::vector<Field> tryon_fields(int height, int width) {
  std::vector<Field> fields;
  for (const auto& [name, channels] : kTryonParts) {
    fields.push_back(picture_field(name, height, width, channels));
  }
  return fields;
}

std::array<double, 2> flow_place(std::span<const std::uint8_t> pixel) {
  constexpr double kLow = -0.5, kHigh = 1.5;
  const auto place = [](int steps) { return kLow + steps * (kHigh - kLow) / 4095; };
  return {place(pixel[0] << 4 | pixel[2] >> 4), place(pixel[1] << 4 | (pixel[2] & 15))};
}

TryonSource::TryonSource(const Options::Data& options, const std::string& part, const DecodeSettings& settings)
    : options_(options), threads_(settings.threads) {
  const PictureForm asked = picture_form(options);
  std::uint32_t checksum = 0;
  std::optional<PhotographFolder> first;
  for (const auto& [name, channels] : kTryonParts) {
    const fs::path path = fs::path(options.source) / part / name;
    if (!folder_exists(path)) {
      throw_error(Error::Kind::data, "{}: there is no such folder, which a try-on set has (tools/make_tryon.py)",
                  path.string());
    }
    PhotographFolder folder = list_photographs(path);
    if (folder.pictures.empty()) {
      throw_error(Error::Kind::data, "{}: holds no picture", path.string());
    }
    if (first) {
      check_partners(*first, folder);
    }
    DecodeSettings its = settings;
    its.form = {};
    its.form.height = asked.height;
    its.form.width = asked.width;
    its.form.channels = channels;
    folders_.push_back(decode_photographs(folder, its));
    check_pictures(folders_.back(), folder, options, its.form);
    for (const DecodedPicture* each : folders_.back().pictures) {
      checksum = crc32c(std::as_bytes(std::span(&each->pixels, 1)), checksum);
    }
    if (!first) {
      first = std::move(folder);
      pairs_ = static_cast<std::int64_t>(first->pictures.size());
      count_ = part == "train" ? 2 * pairs_ : pairs_;
    }
  }
  fields_ = tryon_fields(asked.height, asked.width);
  fingerprint_ = fmt::format("{} try-on pairs of {}x{}{}, crc32c {:08x}", pairs_, asked.height, asked.width,
                             count_ > pairs_ ? ", mirrored too" : "", checksum);
}

void TryonSource::read(std::int64_t row, std::size_t field, std::byte* to) const {
  const DecodedFolder& folder = folders_[field];
  folder.cache->read(folder.pictures[static_cast<std::size_t>(row % pairs_)]->row, to);
  if (row >= pairs_) {
    mirror(fields_[field], reinterpret_cast<std::uint8_t*>(to));
  }
}

std::unique_ptr<const Source> TryonSource::held_out() const {
  if (!folder_exists(fs::path(options_.source) / "test")) {
    return nullptr;
  }
  DecodeSettings settings;
  settings.threads = threads_;
  return std::make_unique<TryonSource>(options_, "test", settings);
}

}  // namespace duel

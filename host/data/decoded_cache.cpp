#include "host/data/decoded_cache.h"

#include "decoded_index.pb.h"
#include "host/files/crc32c.h"
#include "host/files/file_descriptor.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

namespace duel {

namespace {

constexpr std::array<char, 8> kMagic = {'d', 'u', 'e', 'l', 'r', 'o', 'w', 's'};
constexpr std::uint32_t kFormat = 1;

struct Trailer {  // in the byte order of the machine, as the cache belongs to one
  std::array<char, 8> magic = kMagic;
  std::uint32_t format = kFormat;
  std::uint32_t row_checksum = 0, index_checksum = 0;
  std::uint32_t reserved = 0;
  std::uint64_t row_bytes = 0, index_bytes = 0;
  std::array<std::uint32_t, 5> unused = {};
  std::uint32_t checksum = 0;  // of what stands before it
};
static_assert(sizeof(Trailer) == 64);

std::uint32_t checksum_of(const Trailer& trailer) {
  return crc32c(std::as_bytes(std::span(&trailer, 1)).first(sizeof trailer - sizeof trailer.checksum));
}

std::uint64_t length_of(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) {
    throw_error(Error::Kind::data, "{}: its length is unknown: {}", path.string(), error_text(errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Trailer read_trailer(const FileDescriptor& file, std::uint64_t length, const std::filesystem::path& path) {
  Trailer trailer;
  if (length >= sizeof trailer) {
    read_all(file, length - sizeof trailer, std::as_writable_bytes(std::span(&trailer, 1)), path);
  }
  if (length < sizeof trailer || trailer.magic != kMagic) {
    throw_error(Error::Kind::data, "{}: is not whole", path.string());
  }
  if (trailer.format != kFormat) {
    throw_error(Error::Kind::data, "{}: is of format {}, and this program reads {}", path.string(), trailer.format,
                kFormat);
  }
  const std::uint64_t rest = length - sizeof trailer;
  if (trailer.checksum != checksum_of(trailer) || trailer.row_bytes > rest ||
      trailer.index_bytes != rest - trailer.row_bytes) {
    throw_error(Error::Kind::data, "{}: is damaged at its end", path.string());
  }
  return trailer;
}

void check_rows(const FileDescriptor& file, const Trailer& trailer, const std::filesystem::path& path) {
  std::vector<std::byte> block(std::size_t{1} << 20);
  std::uint32_t checksum = 0;
  for (std::uint64_t done = 0; done < trailer.row_bytes;) {
    const std::span part(block.data(), std::min<std::uint64_t>(block.size(), trailer.row_bytes - done));
    read_all(file, done, part, path);
    checksum = crc32c(part, checksum);
    done += part.size();
  }
  if (checksum != trailer.row_checksum) {
    throw_error(Error::Kind::data, "{}: its rows are damaged", path.string());
  }
}

proto::DecodedIndex to_proto(const DecodedIndex& index) {
  proto::DecodedIndex stored;
  stored.set_key(index.key);
  stored.set_height(index.height);
  stored.set_width(index.width);
  stored.set_channels(index.channels);
  for (const DecodedPicture& each : index.pictures) {
    proto::DecodedPicture& picture = *stored.add_pictures();
    picture.set_file(each.file);
    picture.set_size(each.size);
    picture.set_modified(each.modified);
    picture.set_changed(each.changed);
    picture.set_fault(each.fault);
    picture.set_width(each.facts.width);
    picture.set_height(each.facts.height);
    picture.set_channels(each.facts.channels);
    picture.set_has_alpha(each.facts.has_alpha);
    picture.set_is_animated(each.facts.is_animated);
    picture.set_format(each.facts.format);
    picture.set_content(each.content);
    picture.set_pixels(each.pixels);
    picture.set_look(each.look);
    picture.set_row(each.row);
  }
  return stored;
}

DecodedIndex from_proto(const proto::DecodedIndex& stored) {
  DecodedIndex index{stored.key(), stored.height(), stored.width(), stored.channels(), {}};
  for (const proto::DecodedPicture& each : stored.pictures()) {
    DecodedPicture picture{each.file(), each.size(),    each.modified(), each.changed(), each.fault(),
                           {},          each.content(), each.pixels(),   each.look(),    each.row()};
    picture.facts.width = each.width();
    picture.facts.height = each.height();
    picture.facts.channels = each.channels();
    picture.facts.has_alpha = each.has_alpha();
    picture.facts.is_animated = each.is_animated();
    picture.facts.format = each.format();
    index.pictures.push_back(std::move(picture));
  }
  return index;
}

DecodedIndex read_index(const FileDescriptor& file, const Trailer& trailer, const std::filesystem::path& path) {
  std::string text(trailer.index_bytes, '\0');
  read_all(file, trailer.row_bytes, std::as_writable_bytes(std::span(text)), path);
  proto::DecodedIndex stored;
  const bool is_whole = crc32c(std::as_bytes(std::span(text))) == trailer.index_checksum &&
                        text.size() <= std::numeric_limits<int>::max() &&
                        stored.ParseFromArray(text.data(), static_cast<int>(text.size()));
  if (!is_whole) {
    throw_error(Error::Kind::data, "{}: its index is damaged", path.string());
  }
  return from_proto(stored);
}

}  // namespace

DecodedCache::DecodedCache(const std::filesystem::path& path) : path_(path) {
  const FileDescriptor file = open_file(path, O_RDONLY);
  bytes_ = length_of(file, path);
  const Trailer trailer = read_trailer(file, bytes_, path);
  index_ = read_index(file, trailer, path);
  const auto rows = std::count_if(index_.pictures.begin(), index_.pictures.end(),
                                  [](const DecodedPicture& picture) { return picture.row >= 0; });
  if (trailer.row_bytes != static_cast<std::uint64_t>(rows) * index_.row_bytes()) {
    throw_error(Error::Kind::data, "{}: its index names {} rows, but it has {} bytes of them", path.string(), rows,
                trailer.row_bytes);
  }
  check_rows(file, trailer, path);
  if (trailer.row_bytes > 0) {
    rows_ = std::make_unique<const MappedFile>(file, trailer.row_bytes, path);
  }
}

void DecodedCache::read(std::int64_t row, std::byte* to) const {
  rows_->read(static_cast<std::uint64_t>(row) * index_.row_bytes(), index_.row_bytes(), to);
}

void DecodedCacheWriter::write_rows(std::span<const std::uint8_t> rows) {
  const std::span<const std::byte> bytes = std::as_bytes(rows);
  file_.write(bytes);
  row_checksum_ = crc32c(bytes, row_checksum_);
  row_bytes_ += bytes.size();
}

void DecodedCacheWriter::commit(const DecodedIndex& index) {
  const std::string text = to_proto(index).SerializeAsString();
  file_.write(std::as_bytes(std::span(text)));
  Trailer trailer;
  trailer.row_checksum = row_checksum_;
  trailer.index_checksum = crc32c(std::as_bytes(std::span(text)));
  trailer.row_bytes = row_bytes_;
  trailer.index_bytes = text.size();
  trailer.checksum = checksum_of(trailer);
  file_.write(std::as_bytes(std::span(&trailer, 1)));
  file_.commit();
}

}  // namespace duel

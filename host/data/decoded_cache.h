// A file of photographs that were decoded once, to rows of one size.
//
//   rows      [count, height, width, channels] u8
//   index     what each row is, and what is no row and why: decoded_index.proto
//   trailer   64 bytes: "duelrows", format, the lengths and CRC-32Cs of rows and index, and its own CRC-32C
//
// The trailer comes last and the file is renamed into place when it is on disk, so that one which was half written is
// none. Rows are mapped: a set that is larger than memory streams from the disk.
#pragma once

#include "host/files/atomic_file.h"
#include "host/files/mapped_file.h"
#include "host/pictures/decode.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace duel {

struct DecodedPicture {
  std::string file;           // from the folder on
  std::uint64_t size = 0;     // of the file as it was decoded
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;   // the same, of its permissions too
  std::string fault;          // why it is no row; "" where it is one
  PictureFacts facts;
  std::uint32_t content = 0;  // CRC-32C of the file
  std::uint32_t pixels = 0;   // of the row
  std::uint64_t look = 0;     // difference_hash() of the row
  std::int64_t row = -1;
};

struct DecodedIndex {
  std::string key;  // what it was made of and how: the folder, the form
  int height = 0, width = 0, channels = 0;
  std::vector<DecodedPicture> pictures;  // by `file`

  std::size_t row_bytes() const { return static_cast<std::size_t>(height) * width * channels; }
};

class DecodedCache {
public:
  // Reads all of it once, in constant memory, to compare its checksums. Throws kind `data` where it cannot be read, is
  // of another format or not whole.
  explicit DecodedCache(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const DecodedIndex& index() const { return index_; }
  std::uint64_t bytes() const { return bytes_; }
  void read(std::int64_t row, std::byte* to) const;  // from any thread

private:
  std::filesystem::path path_;
  DecodedIndex index_;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<const MappedFile> rows_;  // none where there is no row
};

class DecodedCacheWriter {
public:
  explicit DecodedCacheWriter(const std::filesystem::path& path) : file_(path) {}

  void write_rows(std::span<const std::uint8_t> rows);  // whole ones, in order
  void commit(const DecodedIndex& index);               // without it nothing is left behind

private:
  AtomicFile file_;
  std::uint64_t row_bytes_ = 0;
  std::uint32_t row_checksum_ = 0;
};

}  // namespace duel

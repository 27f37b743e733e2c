// Reading is one pass over a byte stream that is either the file or what gzip unpacks from it. Two things are
// unusual. Memory grows with the bytes that arrive, never with what the header claims, so that a damaged header
// cannot exhaust it. And the stream is read to its very end, since gzip's checksum stands there.
#include "host/data/idx.h"

#include "kernels/check.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <system_error>

namespace duel {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::uint32_t kMaxSide = 8192;
constexpr std::int64_t kMaxValues = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kChunk = std::size_t{1} << 20;

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// The bytes of a file, unpacked where it is gzip.
class ByteStream {
public:
  explicit ByteStream(const std::filesystem::path& path) : path_(path.string()) {
    if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) {
      throw_error(Error::Kind::data, "{}: is a folder where an IDX file is needed", path_);
    }
    file_.reset(std::fopen(path_.c_str(), "rb"));
    if (!file_) {
      throw_error(Error::Kind::data, "{}: cannot open: {}", path_, std::strerror(errno));
    }
    fill();
    gzip_ = inflater_.avail_in >= 2 && input_[0] == 0x1f && input_[1] == 0x8b;
    // 15: the largest window; 16: a gzip wrapper, whose checksum and length zlib then verifies.
    if (gzip_ && inflateInit2(&inflater_, 15 + 16) != Z_OK) {
      throw_error(Error::Kind::internal, "{}: zlib cannot start: {}", path_, zlib_message());
    }
  }
  ~ByteStream() {
    if (gzip_) {
      inflateEnd(&inflater_);
    }
  }
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Fewer than `size` bytes come only at the end.
  std::size_t read(std::uint8_t* out, std::size_t size) { return gzip_ ? read_gzip(out, size) : read_plain(out, size); }

  // After the end was met: the gzip data stopped before its own end.
  bool cut_off() const { return gzip_ && !between_members_; }

private:
  // Makes input available; false at the end of the file.
  bool fill() {
    if (inflater_.avail_in == 0) {
      const std::size_t got = std::fread(input_.data(), 1, input_.size(), file_.get());
      if (std::ferror(file_.get()) != 0) {
        throw_error(Error::Kind::data, "{}: cannot read behind byte {}: {}", path_, file_bytes_, std::strerror(errno));
      }
      file_bytes_ += static_cast<std::int64_t>(got);
      inflater_.next_in = input_.data();
      inflater_.avail_in = static_cast<uInt>(got);
    }
    return inflater_.avail_in > 0;
  }

  std::size_t read_plain(std::uint8_t* out, std::size_t size) {
    std::size_t done = 0;
    while (done < size && fill()) {
      const std::size_t part = std::min<std::size_t>(size - done, inflater_.avail_in);
      std::memcpy(out + done, inflater_.next_in, part);
      inflater_.next_in += part;
      inflater_.avail_in -= static_cast<uInt>(part);
      done += part;
    }
    return done;
  }

  std::size_t read_gzip(std::uint8_t* out, std::size_t size) {
    inflater_.next_out = out;
    inflater_.avail_out = static_cast<uInt>(size);
    while (inflater_.avail_out > 0 && fill()) {
      // A gzip file may be several members in a row; each is verified, and what follows the last must be another.
      if (between_members_) {
        inflateReset(&inflater_);
        between_members_ = false;
      }
      const int status = inflate(&inflater_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        between_members_ = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        throw_error(Error::Kind::data, "{}: damaged gzip data near byte {}: {}; fetch the file again", path_,
                    file_bytes_ - inflater_.avail_in, zlib_message());
      }
    }
    return size - inflater_.avail_out;
  }

  const char* zlib_message() const { return inflater_.msg != nullptr ? inflater_.msg : "no reason given"; }

  std::string path_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  std::array<std::uint8_t, 65536> input_;
  z_stream inflater_{};  // its next_in and avail_in also serve plain files
  std::int64_t file_bytes_ = 0;
  bool gzip_ = false;
  bool between_members_ = false;
};

const char* name_of_element(std::uint8_t type) {
  switch (type) {
    case kUnsignedByte: return "unsigned byte";
    case 0x09: return "signed byte";
    case 0x0b: return "16-bit integer";
    case 0x0c: return "32-bit integer";
    case 0x0d: return "32-bit float";
    case 0x0e: return "64-bit float";
    default: return nullptr;
  }
}

[[noreturn]] void throw_truncated(const std::string& path, const std::string& what, std::int64_t expected,
                                  std::int64_t found, bool cut_off) {
  throw_error(Error::Kind::data, "{}: truncated: {} bytes expected for {}, {} found{}", path, expected, what, found,
              cut_off ? " where the gzip data is cut off" : "");
}

void check_extents(const std::string& path, const std::vector<std::uint32_t>& extents) {
  std::string text;
  for (const std::uint32_t extent : extents) {
    text.append(text.empty() ? "" : ",").append(std::to_string(extent));
  }
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const std::uint32_t extent = extents[axis];
    const bool is_side = axis == 1 || axis == 2;
    if (extent == 0) {
      throw_error(Error::Kind::data, "{}: the extents [{}] hold no elements", path, text);
    }
    if (is_side && extent > kMaxSide) {
      throw_error(Error::Kind::data, "{}: the extents [{}] give pictures a side of {}; at most {} are read", path, text,
                  extent, kMaxSide);
    }
    if (axis == 3 && extent > 4) {
      throw_error(Error::Kind::data, "{}: the extents [{}] give pictures {} channels; 1 to 4 are read", path, text,
                  extent);
    }
    // Cannot overflow: at most 2^32 * 2^13 * 2^13 * 4, checked below.
    count *= extent;
  }
  if (count > kMaxValues) {
    throw_error(Error::Kind::data, "{}: the extents [{}] are {} elements; at most {} are read", path, text, count,
                kMaxValues);
  }
}

// Reads the magic number and the extents: 4 * (1 + rank) bytes.
Shape read_header(ByteStream& stream, const std::string& path) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = stream.read(magic.data(), magic.size());
  if (got == 0 && !stream.cut_off()) {
    throw_error(Error::Kind::data, "{}: is empty", path);
  }
  if (got < magic.size()) {
    throw_truncated(path, "the magic number of an IDX file", 4, static_cast<std::int64_t>(got), stream.cut_off());
  }
  const auto [zero0, zero1, type, rank] = magic;
  if (zero0 != 0 || zero1 != 0 || name_of_element(type) == nullptr) {
    throw_error(Error::Kind::data,
                "{}: not an IDX file: begins with the bytes {:02x} {:02x} {:02x} {:02x}, not 00 00 08", path, zero0,
                zero1, type, rank);
  }
  if (type != kUnsignedByte) {
    throw_error(Error::Kind::data, "{}: holds elements of type 0x{:02x} ({}); only 0x08 (unsigned byte) is read", path,
                type, name_of_element(type));
  }
  if (rank != 1 && rank != 3 && rank != 4) {
    throw_error(Error::Kind::data, "{}: has rank {}; 1 (labels), 3 (N,H,W) and 4 (N,H,W,C) are read", path, rank);
  }

  std::array<std::uint8_t, 16> bytes{};
  const std::size_t size = std::size_t{4} * rank;
  const std::size_t extent_bytes = stream.read(bytes.data(), size);
  if (extent_bytes < size) {
    throw_truncated(path, fmt::format("the header of {} extents", rank), static_cast<std::int64_t>(4 + size),
                    static_cast<std::int64_t>(4 + extent_bytes), stream.cut_off());
  }
  std::vector<std::uint32_t> extents;
  for (std::size_t at = 0; at < size; at += 4) {
    extents.push_back(std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
                      std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]});
  }
  check_extents(path, extents);
  const auto extent = [&](std::size_t axis) { return static_cast<int>(extents[axis]); };
  switch (rank) {
    case 1: return {extent(0)};
    case 3: return {extent(0), extent(1), extent(2)};
    default: return {extent(0), extent(1), extent(2), extent(3)};
  }
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& file) {
  const std::string path = file.string();
  ByteStream stream(file);
  IdxArray array;
  array.shape = read_header(stream, path);

  const std::size_t count = static_cast<std::size_t>(array.shape.count());
  const std::int64_t header = 4 * (1 + array.shape.rank());
  const std::int64_t expected = header + array.shape.count();
  bool at_end = false;
  while (array.values.size() < count && !at_end) {
    const std::size_t begin = array.values.size();
    const std::size_t part = std::min(kChunk, count - begin);
    array.values.resize(begin + part);
    const std::size_t got = stream.read(array.values.data() + begin, part);
    array.values.resize(begin + got);
    at_end = got < part;
  }
  const std::int64_t found = header + static_cast<std::int64_t>(array.values.size());
  if (at_end) {
    throw_truncated(path, to_string(array.shape), expected, found, stream.cut_off());
  }

  // Reading on to the end counts what is left over, and makes gzip verify its checksum.
  std::vector<std::uint8_t> rest(kChunk);
  std::int64_t left_over = 0;
  while (const std::size_t got = stream.read(rest.data(), rest.size())) {
    left_over += static_cast<std::int64_t>(got);
  }
  if (left_over > 0) {
    throw_error(Error::Kind::data, "{}: too long: {} bytes expected for {}, {} found", path, expected,
                to_string(array.shape), found + left_over);
  }
  if (stream.cut_off()) {
    throw_error(Error::Kind::data, "{}: the gzip data is cut off inside its checksum; fetch the file again", path);
  }
  return array;
}

}  // namespace duel

// IDX and gzip files as tests need them: byte by byte, right or wrong.
#pragma once

#include "tests/support/bytes.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace duel::test {

inline Bytes idx_header(std::uint8_t type, const std::vector<std::uint32_t>& extents) {
  Bytes bytes = {0, 0, type, static_cast<std::uint8_t>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
    }
  }
  return bytes;
}

// A whole file of unsigned bytes whose element i is 7 * i + 3, modulo 256.
inline Bytes idx_bytes(const std::vector<std::uint32_t>& extents) {
  Bytes bytes = idx_header(0x08, extents);
  std::uint64_t count = 1;
  for (const std::uint32_t extent : extents) {
    count *= extent;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(7 * i + 3));
  }
  return bytes;
}

inline Bytes gzip(Bytes bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  Bytes packed(deflateBound(&stream, bytes.size()));
  stream.next_in = bytes.data();
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) {
    throw std::runtime_error("zlib cannot pack");
  }
  return packed;
}

}  // namespace duel::test

// A file's bytes at an address, read by the system when they are looked at: what is larger than memory can be read.
#pragma once

#include "host/files/file_descriptor.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace duel {

class MappedFile {
public:
  // The first `bytes` of the file, which must have them; `bytes` is not 0. Nobody may shorten the file afterwards: that
  // of AtomicFile is replaced, never shortened.
  MappedFile(const FileDescriptor& file, std::uint64_t bytes, const std::filesystem::path& shown);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  // Copies bytes out. Any thread may call it, several at once. Pages that were read stay the process's for a while
  // only, so that reading a large file through does not count as that much memory of the process.
  void read(std::uint64_t offset, std::size_t count, std::byte* to) const;

private:
  std::byte* begin_ = nullptr;
  std::uint64_t bytes_ = 0;
  mutable std::atomic<std::uint64_t> read_since_release_{0};
};

}  // namespace duel

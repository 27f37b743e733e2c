#include "host/files/mapped_file.h"

#include "kernels/check.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

namespace duel {

namespace {

// A small read makes the pages around it resident too, up to 64 KiB of them.
constexpr std::uint64_t kReadBetweenReleases = std::uint64_t{64} << 20;

}  // namespace

MappedFile::MappedFile(const FileDescriptor& file, std::uint64_t bytes, const std::filesystem::path& shown)
    : bytes_(bytes) {
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) {
    throw_error(Error::Kind::data, "{}: its {} bytes cannot be mapped: {}", shown.string(), bytes, error_text(errno));
  }
  begin_ = static_cast<std::byte*>(address);
}

MappedFile::~MappedFile() {
  ::munmap(begin_, bytes_);
}

void MappedFile::read(std::uint64_t offset, std::size_t count, std::byte* to) const {
  check(offset <= bytes_ && count <= bytes_ - offset, "mapped_file: {} bytes at {} of {}", count, offset, bytes_);
  std::memcpy(to, begin_ + offset, count);
  const std::uint64_t before = read_since_release_.fetch_add(count, std::memory_order_relaxed);
  if (before < kReadBetweenReleases && before + count >= kReadBetweenReleases) {
    // Other threads may read meanwhile: their pages come back, from the system's cache of the file.
    ::madvise(begin_, bytes_, MADV_DONTNEED);
    read_since_release_.store(0, std::memory_order_relaxed);
  }
}

}  // namespace duel

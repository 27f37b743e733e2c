// A file descriptor with an owner, and the calls on it that either do all they were asked or throw.
//
// Not std::fstream: streams hide errno, cannot fsync, and report a full disk late or never. Every failure here is
// an Error of kind `data` that names the path, the system's reason, and for a write the bytes wanted and free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace duel {

class FileDescriptor {
public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

private:
  int number_ = -1;
};

// `shown` is the path for messages, which is not the opened one where a temporary file stands in for another.
// `flags` as of open(2), O_CLOEXEC is added. Files are created with the permissions that the umask leaves.
FileDescriptor open_file(const std::filesystem::path& path, int flags, const std::filesystem::path& shown);
inline FileDescriptor open_file(const std::filesystem::path& path, int flags) {
  return open_file(path, flags, path);
}

void write_all(const FileDescriptor& file, std::span<const std::byte> bytes, const std::filesystem::path& shown);
void read_all(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> bytes,
              const std::filesystem::path& shown);
void sync_file(const FileDescriptor& file, const std::filesystem::path& shown);
void close_file(FileDescriptor& file, const std::filesystem::path& shown);  // some file systems fail only here

std::string read_text_file(const std::filesystem::path& path);

std::string error_text(int error_number);                          // "No space left on device"
std::string free_space_text(const std::filesystem::path& folder);  // "4096 bytes are free there"

}  // namespace duel

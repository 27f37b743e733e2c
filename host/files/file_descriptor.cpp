#include "host/files/file_descriptor.h"

#include "kernels/check.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace duel {

FileDescriptor::~FileDescriptor() {
  if (number_ >= 0) {
    ::close(number_);
  }
}

std::string error_text(int error_number) {
  return std::generic_category().message(error_number);
}

std::string free_space_text(const std::filesystem::path& folder) {
  std::error_code failure;
  const auto space = std::filesystem::space(folder.empty() ? "." : folder, failure);
  return failure ? "free space there is unknown" : fmt::format("{} bytes are free there", space.available);
}

FileDescriptor open_file(const std::filesystem::path& path, int flags, const std::filesystem::path& shown) {
  FileDescriptor file;
  do {
    file = FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666));
  } while (!file && errno == EINTR);
  if (!file) {
    const int reason = errno;  // building the message may change it
    const char* purpose = (flags & O_ACCMODE) == O_RDONLY ? "reading" : "writing";
    throw_error(Error::Kind::data, "{}: cannot be opened for {}: {}", shown.string(), purpose, error_text(reason));
  }
  return file;
}

void write_all(const FileDescriptor& file, std::span<const std::byte> bytes, const std::filesystem::path& shown) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::write(file.get(), bytes.data() + written, bytes.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      const int reason = errno;  // asking for the free space may change it
      throw_error(Error::Kind::data, "{}: cannot write {} bytes ({} of them were written, {}): {}", shown.string(),
                  bytes.size(), written, free_space_text(shown.parent_path()), error_text(reason));
    }
  }
}

void read_all(const FileDescriptor& file, std::uint64_t offset, std::span<std::byte> bytes,
              const std::filesystem::path& shown) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count == 0) {
      throw_error(Error::Kind::data, "{}: ends after {} bytes, where {} more were to be read", shown.string(),
                  offset + done, bytes.size() - done);
    } else if (errno != EINTR) {
      throw_error(Error::Kind::data, "{}: cannot be read at byte {}: {}", shown.string(), offset + done,
                  error_text(errno));
    }
  }
}

void sync_file(const FileDescriptor& file, const std::filesystem::path& shown) {
  // EINVAL: a pipe or a file system that has nothing to sync, as with folders on some network file systems.
  while (::fsync(file.get()) != 0 && errno != EINVAL) {
    if (errno != EINTR) {
      const int reason = errno;
      throw_error(Error::Kind::data, "{}: cannot be brought to disk ({}): {}", shown.string(),
                  free_space_text(shown.parent_path()), error_text(reason));
    }
  }
}

void close_file(FileDescriptor& file, const std::filesystem::path& shown) {
  const int number = file.release();
  // Linux has closed the descriptor even where close() was interrupted; a second call could close another's.
  if (::close(number) != 0 && errno != EINTR) {
    const int reason = errno;
    throw_error(Error::Kind::data, "{}: cannot be written to its end ({}): {}", shown.string(),
                free_space_text(shown.parent_path()), error_text(reason));
  }
}

std::string read_text_file(const std::filesystem::path& path) {
  const FileDescriptor file = open_file(path, O_RDONLY);
  std::string text;
  std::byte block[65536];
  for (;;) {
    const ssize_t count = ::read(file.get(), block, sizeof block);
    if (count > 0) {
      text.append(reinterpret_cast<const char*>(block), static_cast<std::size_t>(count));
    } else if (count == 0) {
      return text;
    } else if (errno != EINTR) {
      throw_error(Error::Kind::data, "{}: cannot be read: {}", path.string(), error_text(errno));
    }
  }
}

}  // namespace duel

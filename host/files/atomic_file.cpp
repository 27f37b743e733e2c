#include "host/files/atomic_file.h"

#include "kernels/check.h"

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace duel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp-";

// A name that is left from a killed process of the same number, as happens in containers, is simply used again.
fs::path temporary_path(const fs::path& path) {
  return path.string() + std::string(kTemporary) + std::to_string(::getpid());
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// The file that a path means: a symbolic link is kept and its target replaced. Devices and pipes cannot be renamed
// onto; doing so would replace /dev/null by a file.
fs::path target_of(const fs::path& path) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw_error(Error::Kind::data, "{}: is {}, so no file can be written there", path.string(),
                fs::is_directory(status) ? "a folder" : "not a regular file");
  }
  if (fs::is_regular_file(status) && fs::is_symlink(fs::symlink_status(path, failure))) {
    const fs::path target = fs::canonical(path, failure);
    return failure ? path : target;
  }
  return path;
}

void sync_entry(const fs::path& path, const fs::path& shown) {
  sync_file(open_file(path, O_RDONLY, shown), shown);
}

void rename_entry(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    throw_error(Error::Kind::data, "{}: cannot be put in place from {}: {}", to.string(), from.filename().string(),
                error_text(errno));
  }
}

void remove_tree(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) {
    throw_error(Error::Kind::data, "{}: cannot be removed: {}", path.string(), failure.message());
  }
}

}  // namespace

AtomicFile::AtomicFile(const fs::path& path)
    : path_(target_of(path)),
      temporary_(temporary_path(path_)),
      file_(open_file(temporary_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, path_)) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void AtomicFile::commit() {
  sync_file(file_, path_);
  close_file(file_, path_);
  rename_entry(temporary_, path_);
  temporary_.clear();
  sync_entry(parent_of(path_), path_);
}

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

AtomicFolder::AtomicFolder(const fs::path& final_path)
    : final_path_(final_path), temporary_(temporary_path(final_path)) {
  remove_tree(temporary_);
  create_folder(temporary_);
}

AtomicFolder::AtomicFolder(AtomicFolder&& other) noexcept
    : final_path_(std::move(other.final_path_)), temporary_(std::exchange(other.temporary_, fs::path())) {}

AtomicFolder::~AtomicFolder() {
  if (!temporary_.empty()) {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }
}

void AtomicFolder::publish() {
  check(!temporary_.empty(), "{}: is published already", final_path_.string());
  sync_folder(temporary_);
  std::error_code failure;
  const bool replaces = fs::exists(final_path_, failure);
  if (replaces) {
    // rename() cannot replace a folder with content. Exchanging the two is atomic; where a file system cannot do
    // that, there is a moment with neither.
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, final_path_.c_str(), RENAME_EXCHANGE) != 0) {
      remove_folder_atomically(final_path_);
      rename_entry(temporary_, final_path_);
    }
  } else {
    rename_entry(temporary_, final_path_);
  }
  const fs::path replaced = std::exchange(temporary_, fs::path());
  sync_entry(parent_of(final_path_), final_path_);
  if (replaces) {
    remove_tree(replaced);
  }
}

void remove_folder_atomically(const fs::path& folder) {
  const fs::path removed = temporary_path(folder.string() + ".old");
  remove_tree(removed);
  rename_entry(folder, removed);
  remove_tree(removed);
}

void sync_folder(const fs::path& folder) {
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (!entry->is_symlink(failure) && (entry->is_regular_file(failure) || entry->is_directory(failure))) {
      sync_entry(entry->path(), entry->path());
    }
  }
  if (failure) {
    throw_error(Error::Kind::data, "{}: cannot be listed: {}", folder.string(), failure.message());
  }
  sync_entry(folder, folder);
}

bool is_temporary_name(std::string_view name) {
  const std::size_t found = name.rfind(kTemporary);
  const std::size_t digits = found + kTemporary.size();
  return found != std::string_view::npos && found > 0 && digits < name.size() &&
         name.find_first_not_of("0123456789", digits) == std::string_view::npos;
}

void create_folder(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!failure && !fs::is_directory(folder, failure)) {
    failure = std::make_error_code(std::errc::not_a_directory);
  }
  if (failure) {
    throw_error(Error::Kind::data, "{}: cannot be created: {}", folder.string(), failure.message());
  }
}

}  // namespace duel

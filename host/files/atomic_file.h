// Files and folders that appear whole or not at all, whatever happens in between: a full disk, a kill, a power cut.
//
// Both are written under NAME.tmp-PID beside their place, brought to disk, and renamed; then the containing folder
// is brought to disk. What was left unfinished is removed by the destructor, or after a kill by whoever owns the
// folder (is_temporary_name). Errors are of kind `data` and name the path that was to be written.
#pragma once

#include "host/files/file_descriptor.h"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace duel {

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// The same for content that is made piece by piece. Without commit() nothing is left behind.
class AtomicFile {
public:
  explicit AtomicFile(const std::filesystem::path& path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes) { write_all(file_, bytes, path_); }
  void commit();

private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
};

// A folder to be filled at path() and published under its name, in place of a folder of that name if there is one.
class AtomicFolder {
public:
  explicit AtomicFolder(const std::filesystem::path& final_path);
  AtomicFolder(AtomicFolder&& other) noexcept;
  AtomicFolder& operator=(AtomicFolder&&) = delete;
  ~AtomicFolder();

  const std::filesystem::path& path() const { return temporary_; }
  const std::filesystem::path& final_path() const { return final_path_; }
  void publish();

private:
  std::filesystem::path final_path_;
  std::filesystem::path temporary_;
};

// Removes a folder so that no half of it is ever seen under its name.
void remove_folder_atomically(const std::filesystem::path& folder);

void sync_folder(const std::filesystem::path& folder);    // everything in it, and itself
bool is_temporary_name(std::string_view name);            // "NAME.tmp-PID"
void create_folder(const std::filesystem::path& folder);  // with its parents; no error where it exists

}  // namespace duel

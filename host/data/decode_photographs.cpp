#include "host/data/decode_photographs.h"

#include "host/data/in_parallel.h"
#include "host/data/picture_look.h"
#include "host/device/default_threads.h"
#include "host/device/timing.h"
#include "host/files/cache_folder.h"
#include "host/files/crc32c.h"
#include "host/files/file_descriptor.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = std::size_t{32} << 20;  // of rows that are decoded before they are written
constexpr std::int64_t kMostInBlock = 512;                  // so that progress is seen
constexpr std::uint64_t kIndexBytesAPicture = 200;          // about; most of it is the name

// Without the path that it begins with: a list of faults names each file already.
std::string reason_of(const Error& error, const fs::path& path) {
  const std::string text = error.what(), beginning = path.string() + ": ";
  return text.starts_with(beginning) ? text.substr(beginning.size()) : text;
}

std::uint32_t checksum_of_file(const fs::path& path) {
  const FileDescriptor file = open_file(path, O_RDONLY);
  std::array<std::byte, 65536> block;
  std::uint32_t checksum = 0;
  while (true) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw_error(Error::Kind::data, "{}: cannot be read: {}", path.string(), error_text(errno));
    }
    if (count == 0) {
      return checksum;
    }
    checksum = crc32c(std::span(block).first(static_cast<std::size_t>(count)), checksum);
  }
}

// What became of a file since the folder was scanned; "" nothing.
std::string change_of(const DecodedPicture& picture, const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return "went while the folder was read";
  }
  const std::int64_t modified = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  const bool is_same = static_cast<std::uint64_t>(status.st_size) == picture.size && modified == picture.modified;
  return is_same ? "" : "changed while the folder was read";
}

class Decoder {
public:
  Decoder(const PhotographFolder& folder, const DecodeSettings& settings, std::string key)
      : folder_(folder),
        settings_(settings),
        form_(settings.form),
        threads_(settings.threads > 0 ? settings.threads : default_threads().threads) {
    index_.key = std::move(key);
    for (const Photograph& each : folder.pictures) {
      DecodedPicture picture;
      picture.file = each.file;
      picture.size = each.size;
      picture.modified = each.modified;
      picture.changed = each.changed;
      index_.pictures.push_back(std::move(picture));
    }
  }

  void run(const fs::path& cache) {
    if (!can_decode_photographs() && !index_.pictures.empty()) {
      picture_facts(folder_.path / index_.pictures.front().file);  // throws, and says what is missing
    }
    read_facts();
    choose_channels();
    index_.height = form_.height;
    index_.width = form_.width;
    index_.channels = form_.channels;
    check_room(cache);
    DecodedCacheWriter writer(cache);
    decode(writer);
    check_any_row();
    writer.commit(index_);
  }

private:
  fs::path path_of(const DecodedPicture& picture) const { return folder_.path / picture.file; }
  std::int64_t count() const { return static_cast<std::int64_t>(index_.pictures.size()); }

  void report(std::string_view what, std::int64_t done) const {
    if (settings_.progress) {
      settings_.progress({what, done, count()});
    }
  }

  // One block behind the other: work(i) of each picture, by all threads, then done(begin, end).
  void in_blocks(std::string_view what, std::int64_t block, const std::function<void(std::int64_t)>& work,
                 const std::function<void(std::int64_t, std::int64_t)>& done) const {
    report(what, 0);
    for (std::int64_t begin = 0; begin < count(); begin += block) {
      const std::int64_t end = std::min(begin + block, count());
      in_parallel(threads_, end - begin, [&](std::int64_t i) { work(begin + i); });
      done(begin, end);
      report(what, end);
    }
  }

  // What cannot be read is no row, and says why.
  void attempt(DecodedPicture& picture, const std::function<void(const fs::path&)>& read) const {
    const fs::path path = path_of(picture);
    if (!picture.fault.empty()) {
      return;
    }
    try {
      read(path);
      picture.fault = change_of(picture, path);
    } catch (const Error& error) {
      const std::string change = change_of(picture, path);
      picture.fault = change.empty() ? reason_of(error, path) : change;
    }
  }

  void read_facts() {
    in_blocks(
        "reading headers", kMostInBlock,
        [&](std::int64_t i) {
          DecodedPicture& picture = index_.pictures[static_cast<std::size_t>(i)];
          attempt(picture, [&](const fs::path& path) { picture.facts = picture_facts(path); });
        },
        [](std::int64_t, std::int64_t) {});
  }

  void choose_channels() {
    if (form_.channels == 0) {
      const auto& pictures = index_.pictures;
      form_.channels = std::all_of(pictures.begin(), pictures.end(),
                                   [](const DecodedPicture& each) { return each.facts.channels <= 1; })
                           ? 1
                           : 3;
    }
  }

  void check_room(const fs::path& cache) const {
    std::error_code unknown;
    const fs::space_info space = fs::space(cache.parent_path(), unknown);
    if (!unknown) {
      const auto pictures = static_cast<std::uint64_t>(count());
      check_cache_room(pictures * (index_.row_bytes() + kIndexBytesAPicture), space.available, cache);
    }
  }

  void decode(DecodedCacheWriter& writer) {
    const std::size_t row_bytes = index_.row_bytes();
    const std::int64_t block = std::clamp<std::int64_t>(static_cast<std::int64_t>(kBlockBytes / row_bytes), threads_,
                                                        std::max<std::int64_t>(kMostInBlock, threads_));
    std::vector<std::uint8_t> rows(static_cast<std::size_t>(std::min(block, count())) * row_bytes);
    std::int64_t next_row = 0;
    in_blocks(
        "decoding", block,
        [&](std::int64_t i) {
          DecodedPicture& picture = index_.pictures[static_cast<std::size_t>(i)];
          const std::span row(rows.data() + static_cast<std::size_t>(i % block) * row_bytes, row_bytes);
          attempt(picture, [&](const fs::path& path) {
            decode_picture(path, form_, row);
            picture.content = checksum_of_file(path);
            picture.pixels = crc32c(std::as_bytes(row));
            picture.look = difference_hash(row, form_.height, form_.width, form_.channels);
          });
        },
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            DecodedPicture& picture = index_.pictures[static_cast<std::size_t>(i)];
            if (picture.fault.empty()) {
              picture.row = next_row++;
              writer.write_rows({rows.data() + static_cast<std::size_t>(i % block) * row_bytes, row_bytes});
            }
          }
        });
  }

  void check_any_row() const {
    const auto& pictures = index_.pictures;
    if (std::all_of(pictures.begin(), pictures.end(), [](const DecodedPicture& each) { return each.row < 0; })) {
      throw_error(Error::Kind::data, "{}: none of its {} pictures can be read; the first, {}: {}",
                  folder_.path.string(), pictures.size(), pictures.front().file, pictures.front().fault);
    }
  }

  const PhotographFolder& folder_;
  const DecodeSettings& settings_;
  PictureForm form_;
  int threads_;
  DecodedIndex index_;
};

std::string key_of(const PhotographFolder& folder, const PictureForm& form) {
  std::error_code failure;
  const fs::path whole = fs::canonical(folder.path, failure);
  std::string background = "auto";
  if (form.background) {
    const auto& colour = *form.background;
    background = fmt::format("{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]);
  }
  return fmt::format("{}\n{}x{} channels {} fit {} background {} decoding {}", (failure ? folder.path : whole).string(),
                     form.width, form.height, form.channels, static_cast<int>(form.fit), background, kDecoding);
}

fs::path cache_path(const std::string& key) {
  const fs::path folder = cache_folder();
  if (folder.empty()) {
    throw_error(Error::Kind::data, "there is nowhere to keep decoded pictures: {}; set XDG_CACHE_HOME", kNowhere);
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(key));
  return folder / "pictures" / fmt::format("{:08x}{:08x}.rows", crc32c(bytes), crc32c(bytes, 0x9e3779b9));
}

// The cache's pictures for the folder's; none where the cache is of other files.
std::optional<std::vector<const DecodedPicture*>> match(const PhotographFolder& folder, const DecodedIndex& index,
                                                        const std::string& key, int wanted_channels) {
  if (index.key != key) {
    return std::nullopt;
  }
  std::map<std::string_view, const DecodedPicture*> by_file;
  for (const DecodedPicture& picture : index.pictures) {
    by_file.emplace(picture.file, &picture);
  }
  std::vector<const DecodedPicture*> found;
  bool is_grey = true;
  for (const Photograph& picture : folder.pictures) {
    const auto place = by_file.find(picture.file);
    if (place == by_file.end()) {
      return std::nullopt;
    }
    const DecodedPicture& its = *place->second;
    // A fault may end without another time of the content: with its permissions.
    if (its.size != picture.size || its.modified != picture.modified ||
        (!its.fault.empty() && its.changed != picture.changed)) {
      return std::nullopt;
    }
    is_grey = is_grey && its.facts.channels <= 1;
    found.push_back(&its);
  }
  const bool has_row =
      std::any_of(found.begin(), found.end(), [](const DecodedPicture* picture) { return picture->row >= 0; });
  const int channels = wanted_channels != 0 ? wanted_channels : is_grey ? 1 : 3;
  return has_row && channels == index.channels ? std::optional(std::move(found)) : std::nullopt;
}

// Held while a cache is made.
FileDescriptor lock_cache(const fs::path& cache, const DecodeSettings& settings) {
  const fs::path path = cache.string() + ".lock";
  FileDescriptor lock = open_file(path, O_RDWR | O_CREAT);
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      break;  // a file system without locks: two may then do the same work, and the second replaces the first's
    }
    if (settings.progress) {
      settings.progress({"waiting for another process that decodes them", 0, 0});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return lock;
}

// Of processes that were killed; the lock is held, so nobody writes one.
void remove_unfinished(const fs::path& cache) {
  const std::string name = cache.filename().string();
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(cache.parent_path(), ignored)) {
    const std::string other = entry.path().filename().string();
    if (other.starts_with(name) && is_temporary_name(other)) {
      fs::remove(entry.path(), ignored);
    }
  }
}

// A cache that fits; none where there is none, and `why` says what is wrong with the one that there is.
std::optional<DecodedFolder> find(const PhotographFolder& folder, const fs::path& cache, const std::string& key,
                                  int channels, std::string& why) {
  std::error_code unknown;
  if (!fs::exists(cache, unknown)) {
    return std::nullopt;
  }
  try {
    DecodedFolder found{std::make_unique<const DecodedCache>(cache), {}, ""};
    if (auto pictures = match(folder, found.cache->index(), key, channels)) {
      found.pictures = std::move(*pictures);
      return found;
    }
    why = "the folder has changed";
  } catch (const Error& error) {
    why = "the cache " + reason_of(error, cache);
  }
  return std::nullopt;
}

}  // namespace

void check_cache_room(std::uint64_t needed, std::uint64_t free, const fs::path& cache) {
  if (needed > free) {
    throw_error(Error::Kind::data,
                "{}: the decoded pictures take {} bytes, but {} are free there; make room, set XDG_CACHE_HOME to a "
                "folder on another disk, or take a smaller --size",
                cache.string(), needed, free);
  }
}

DecodedFolder decode_photographs(const PhotographFolder& folder, const DecodeSettings& settings) {
  const std::string key = key_of(folder, settings.form);
  const fs::path cache = cache_path(key);
  std::string why;
  if (auto found = find(folder, cache, key, settings.form.channels, why)) {
    return std::move(*found);
  }
  create_folder(cache.parent_path());
  const FileDescriptor lock = lock_cache(cache, settings);
  why.clear();
  if (auto found = find(folder, cache, key, settings.form.channels, why)) {  // by the one that had the lock
    return std::move(*found);
  }
  remove_unfinished(cache);
  const Clock::time_point begin = Clock::now();
  Decoder(folder, settings, key).run(cache);
  const double seconds = seconds_since(begin);
  std::string lost;
  auto made = find(folder, cache, key, settings.form.channels, lost);
  if (!made) {
    throw_error(Error::Kind::data, "{}: was written, but cannot be read again: {}", cache.string(),
                lost.empty() ? "it is gone" : lost);
  }
  made->note = fmt::format("{} pictures decoded in {:.1f} s into {} ({:.1f} MiB){}{}", folder.pictures.size(), seconds,
                           cache.string(), static_cast<double>(made->cache->bytes()) / 0x1p20,
                           why.empty() ? "" : ", again because ", why);
  return std::move(*made);
}

}  // namespace duel

#include "host/pictures/picture_folder.h"

#include "host/files/atomic_file.h"
#include "host/files/lower_case.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string ending_of(const fs::path& path) {
  return in_lower_case(path.extension().string());
}

// As picture_name() and seed_name() make them, and what a killed process left of them.
bool is_made_here(std::string_view name) {
  name = name.substr(0, is_temporary_name(name) ? name.rfind(".tmp-") : name.size());
  constexpr std::string_view kSeed = "seed_", kEnding = ".png";
  if (!name.ends_with(kEnding)) {
    return false;
  }
  name.remove_suffix(kEnding.size());
  const bool of_a_seed = name.starts_with(kSeed);
  name.remove_prefix(of_a_seed ? kSeed.size() : 0);
  return is_digits(name) && name.size() >= (of_a_seed ? 10U : 7U);
}

struct Found {
  std::vector<std::string> ours, others;  // pictures
};

Found find_pictures(const fs::path& folder) {
  Found found;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (is_made_here(name)) {
      found.ours.push_back(name);
    } else if (has_picture_ending(name)) {
      found.others.push_back(name);
    }
  }
  if (failure) {
    throw_error(Error::Kind::data, "{}: cannot be listed: {}", folder.string(), failure.message());
  }
  std::sort(found.ours.begin(), found.ours.end());
  std::sort(found.others.begin(), found.others.end());
  return found;
}

std::string a_few(const std::vector<std::string>& names) {
  constexpr std::size_t kFew = 3;
  const auto few = static_cast<std::ptrdiff_t>(std::min(names.size(), kFew));
  return fmt::format("{}{}", fmt::join(names.begin(), names.begin() + few, ", "),
                     names.size() > kFew ? fmt::format(" and {} more", names.size() - kFew) : "");
}

}  // namespace

PictureFolder::PictureFolder(fs::path folder, bool clear, int threads)
    : folder_(std::move(folder)), threads_(std::max(threads, 1)) {
  create_folder(folder_);
  const Found found = find_pictures(folder_);
  if (!found.others.empty()) {
    throw_error(Error::Kind::usage,
                "{}: holds other pictures ({}), which new ones would be mixed with; name another --out",
                folder_.string(), a_few(found.others));
  }
  if (!found.ours.empty() && !clear) {
    throw_error(Error::Kind::usage,
                "{}: holds pictures already ({}); name another --out, or remove them first with --clear",
                folder_.string(), a_few(found.ours));
  }
  for (const std::string& name : found.ours) {
    if (::unlink((folder_ / name).c_str()) != 0) {
      throw_error(Error::Kind::data, "{}: cannot be removed: {}", (folder_ / name).string(), error_text(errno));
    }
  }
}

void PictureFolder::write(std::span<const std::string> names, const std::function<Picture(std::size_t)>& picture,
                          const std::function<PngTexts(std::size_t)>& texts) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (std::size_t i = next++; i < names.size(); i = next++) {
        write_one(names[i], picture(i), texts ? texts(i) : PngTexts());
      }
    } catch (...) {
      next = names.size();
      const std::lock_guard lock(mutex);
      failure = failure ? failure : std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;  // joined at the end of this block
    for (std::size_t i = 1; i < std::min(names.size(), static_cast<std::size_t>(threads_)); ++i) {
      others.emplace_back(work);
    }
    work();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

void PictureFolder::write_one(const std::string& name, const Picture& picture, const PngTexts& texts) const {
  const std::vector<std::uint8_t> bytes = encode_png(picture, texts);
  const fs::path path = folder_ / name;
  const fs::path temporary = path.string() + ".tmp-" + std::to_string(::getpid());
  try {
    FileDescriptor file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, path);
    write_all(file, std::as_bytes(std::span(bytes)), path);
    close_file(file, path);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) {
      throw_error(Error::Kind::data, "{}: cannot be put in place: {}", path.string(), error_text(errno));
    }
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
}

// One call for all files, which costs what they cost together; a sync of each costs one turn of the disk each.
void PictureFolder::sync() {
  const FileDescriptor file = open_file(folder_, O_RDONLY);
  if (::syncfs(file.get()) != 0) {
    throw_error(Error::Kind::data, "{}: cannot be brought to disk: {}", folder_.string(), error_text(errno));
  }
}

std::string picture_name(std::size_t number) {
  return fmt::format("{:07}.png", number);
}

std::string seed_name(std::uint64_t seed) {
  return fmt::format("seed_{:010}.png", seed);
}

bool is_seed_name(std::string_view name) {
  return name.starts_with("seed_") && is_made_here(name) && !is_temporary_name(name);
}

bool has_picture_ending(const fs::path& path) {
  constexpr std::array kEndings = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm"};
  return std::find(kEndings.begin(), kEndings.end(), ending_of(path)) != kEndings.end();
}

}  // namespace duel

#include "host/data/scan_photographs.h"

#include "host/data/photograph_labels.h"
#include "host/files/file_descriptor.h"
#include "host/files/lower_case.h"
#include "kernels/check.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kEndings = {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"};

using Identity = std::pair<dev_t, ino_t>;  // of a folder, by whatever path it is reached

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Identity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

struct Place {       // a folder on the way
  std::string path;  // from the root on; "" the root
  Identity identity;
};

// Walks the tree: folders first, then the links to folders, in the order of their names.
class Walk {
public:
  explicit Walk(PhotographFolder& found) : found_(found) {}

  void run() {
    struct stat status {};
    if (::stat(found_.path.c_str(), &status) != 0) {
      refuse_folder(found_.path, errno);
    }
    visited_.insert(identity_of(status));
    list({{"", identity_of(status)}});
    for (std::size_t i = 0; i < links_.size(); ++i) {  // more may come
      const Link link = links_[i];
      enter(link.path, link.identity, link.way);
    }
  }

private:
  struct Link {
    std::string path;
    Identity identity;
    std::vector<Place> way;
  };

  [[noreturn]] static void refuse_folder(const fs::path& folder, int reason) {
    throw_error(Error::Kind::data, "{}: the folder cannot be listed: {}", folder.string(), error_text(reason));
  }

  // All that lies in the last folder of `way`.
  void list(const std::vector<Place>& way) {
    const fs::path folder = found_.path / way.back().path;
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
      names.push_back(entry->path().filename().string());
    }
    if (failure) {
      refuse_folder(folder, failure.value());
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (!name.starts_with('.')) {
        look_at(way.back().path.empty() ? name : way.back().path + "/" + name, way);
      }
    }
  }

  void look_at(const std::string& path, const std::vector<Place>& way) {
    const fs::path whole = found_.path / path;
    struct stat entry {
    }, target{};
    if (::lstat(whole.c_str(), &entry) != 0 || ::stat(whole.c_str(), &target) != 0) {
      const int reason = errno;
      if (is_picture_name(path)) {
        const bool is_link = S_ISLNK(entry.st_mode);
        found_.skipped.push_back(
            {path, reason == ENOENT && is_link ? "is a link that leads nowhere" : error_text(reason)});
      }
      return;
    }
    if (S_ISDIR(target.st_mode)) {
      if (S_ISLNK(entry.st_mode)) {
        links_.push_back({path, identity_of(target), way});
      } else {
        enter(path, identity_of(target), way);
      }
    } else if (!is_picture_name(path)) {
      ++found_.others[in_lower_case(fs::path(path).extension().string())];
    } else if (!S_ISREG(target.st_mode)) {
      found_.skipped.push_back({path, "is no file, but a pipe, a socket or a device"});
    } else if (target.st_size == 0) {
      found_.skipped.push_back({path, "is empty"});
    } else {
      found_.pictures.push_back(
          {path, static_cast<std::uint64_t>(target.st_size), nanoseconds(target.st_mtim), nanoseconds(target.st_ctim)});
    }
  }

  void enter(const std::string& path, const Identity& identity, std::vector<Place> way) {
    for (const Place& above : way) {
      if (above.identity == identity) {
        throw_error(Error::Kind::data,
                    "{}: leads back to {}, in which it lies, so the folder has no end; remove that link",
                    (found_.path / path).string(), (found_.path / above.path).string());
      }
    }
    if (!visited_.insert(identity).second) {
      found_.skipped.push_back({path, "is a folder that was reached by another name already"});
      return;
    }
    way.push_back({path, identity});
    list(way);
  }

  static bool is_picture_name(const std::string& path) {
    const std::string ending = in_lower_case(fs::path(path).extension().string());
    return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
  }

  PhotographFolder& found_;
  std::set<Identity> visited_;
  std::vector<Link> links_;
};

bool is_utf8(std::string_view text) {
  std::size_t follow = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (follow > 0) {
      if ((byte & 0xc0) != 0x80) {
        return false;
      }
      --follow;
    } else if (byte >= 0x80) {
      follow = (byte & 0xe0) == 0xc0 ? 1 : (byte & 0xf0) == 0xe0 ? 2 : (byte & 0xf8) == 0xf0 ? 3 : 0;
      if (follow == 0) {
        return false;
      }
    }
  }
  return follow == 0;
}

// A class has a name that can be written into JSON, printed on a line and asked for.
void check_classes(const PhotographFolder& folder) {
  std::map<std::string, std::string> by_lower_case;
  for (const std::string& name : folder.classes) {
    const bool has_control = std::any_of(
        name.begin(), name.end(), [](char letter) { return std::iscntrl(static_cast<unsigned char>(letter)) != 0; });
    if (has_control || !is_utf8(name)) {
      throw_error(Error::Kind::data, "{}: the name of the class '{}' {}; rename it", folder.path.string(), name,
                  has_control ? "has a letter that cannot be printed" : "is no UTF-8");
    }
    if (const auto [other, is_new] = by_lower_case.emplace(in_lower_case(name), name); !is_new) {
      throw_error(Error::Kind::data,
                  "{}: the classes '{}' and '{}' differ in upper and lower case only; make them one, or rename one",
                  folder.path.string(), other->second, name);
    }
  }
}

std::string first_folder(const std::string& file) {
  const std::size_t slash = file.find('/');
  return slash == file.npos ? "" : file.substr(0, slash);
}

void take_classes_from_folders(PhotographFolder& folder) {
  std::set<std::string> names;
  for (const Photograph& picture : folder.pictures) {
    if (std::string name = first_folder(picture.file); !name.empty()) {
      names.insert(std::move(name));
    }
  }
  folder.classes.assign(names.begin(), names.end());
  if (names.empty()) {
    return;
  }
  std::vector<Photograph> labelled;
  for (Photograph& picture : folder.pictures) {
    const std::string name = first_folder(picture.file);
    if (name.empty()) {
      folder.skipped.push_back({picture.file, "lies beside the folders of the classes, so it is of none"});
      continue;
    }
    picture.label = static_cast<int>(std::distance(names.begin(), names.find(name)));
    labelled.push_back(std::move(picture));
  }
  folder.pictures = std::move(labelled);
}

void sort_by_name(PhotographFolder& folder) {
  std::sort(folder.pictures.begin(), folder.pictures.end(),
            [](const Photograph& a, const Photograph& b) { return a.file < b.file; });
}

}  // namespace

PhotographFolder list_photographs(const fs::path& path) {
  PhotographFolder folder;
  folder.path = path;
  Walk(folder).run();
  sort_by_name(folder);
  return folder;
}

PhotographFolder scan_photographs(const fs::path& path) {
  PhotographFolder folder = list_photographs(path);
  const fs::path table = path / kLabelTable;
  std::error_code ignored;
  const bool has_labels = fs::exists(table, ignored) && take_labels(read_csv_table(table), table, folder);
  if (!has_labels) {
    take_classes_from_folders(folder);
  }
  check_classes(folder);
  std::stable_sort(folder.skipped.begin(), folder.skipped.end(),
                   [](const SkippedFile& a, const SkippedFile& b) { return a.file < b.file; });
  return folder;
}

}  // namespace duel

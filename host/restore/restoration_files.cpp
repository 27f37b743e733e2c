#include "host/restore/restoration_files.h"

#include "host/data/scan_photographs.h"
#include "host/pictures/decode.h"
#include "kernels/check.h"

#include <map>
#include <system_error>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;  // of a result, which lies in memory whole

struct NamedFile {
  fs::path from, name;  // the name: below the folder that is written
};

void add_folder(const std::string& named, std::vector<NamedFile>& files, std::vector<SkippedFile>& skipped) {
  const PhotographFolder folder = list_photographs(named);
  if (folder.pictures.empty() && folder.skipped.empty()) {
    throw_error(Error::Kind::data, "{}: there is no picture (JPEG, PNG, WebP or TIFF) in this folder", named);
  }
  for (const Photograph& picture : folder.pictures) {
    files.push_back({folder.path / picture.file, picture.file});
  }
  for (const SkippedFile& each : folder.skipped) {
    skipped.push_back({(folder.path / each.file).string(), each.reason});
  }
}

// Throws kind `data` for what the network cannot make of it.
SavedFormat checked_format(const fs::path& file, const RestorerForm& form) {
  const PictureFacts facts = picture_facts(file);
  const SavedFormat format = saved_format(facts.format, form.fills_holes());
  if (facts.width < form.least_side || facts.height < form.least_side) {
    throw_error(Error::Kind::data, "{}: has {}x{} pixels, and the network reaches over {} a side", file.string(),
                facts.width, facts.height, form.least_side);
  }
  const std::int64_t width = std::int64_t{form.scale} * facts.width, height = std::int64_t{form.scale} * facts.height;
  const int side = largest_side(format);
  if (width > side || height > side || width * height > kMostPixels) {
    throw_error(Error::Kind::data,
                "{}: would become a picture of {}x{} pixels, and such of at most {} a side and {} in all are written "
                "as its kind of file",
                file.string(), width, height, side, kMostPixels);
  }
  return format;
}

}  // namespace

std::string reason_without_path(const std::string& sentence, const fs::path& file) {
  const std::string path = file.string() + ": ";
  return sentence.starts_with(path) ? sentence.substr(path.size()) : sentence;
}

RestorationFiles plan_restoration(const std::vector<std::string>& named, const fs::path& out, const RestorerForm& form,
                                  bool draws_sheets) {
  std::vector<NamedFile> files;
  RestorationFiles plan;
  for (const std::string& each : named) {
    std::error_code unknown;
    if (fs::is_directory(each, unknown)) {
      add_folder(each, files, plan.skipped);
    } else {
      files.push_back({each, fs::path(each).filename()});
    }
  }
  for (NamedFile& file : files) {
    try {
      const SavedFormat format = checked_format(file.from, form);
      if (!has_ending_of(format, file.name)) {
        file.name.replace_extension(ending_of(format));
      }
      plan.files.push_back({file.from, out / file.name, format});
    } catch (const Error& error) {
      if (error.kind() != Error::Kind::data) {
        throw;
      }
      plan.skipped.push_back({file.from.string(), reason_without_path(error.what(), file.from)});
    }
  }
  if (plan.files.empty()) {
    throw_error(
        Error::Kind::data, "{}: {}{}", plan.skipped.front().file, plan.skipped.front().reason,
        plan.skipped.size() == 1 ? "" : fmt::format("; none of the {} photographs can be taken", plan.skipped.size()));
  }
  std::map<fs::path, fs::path> becomes;  // and what does
  for (std::size_t first = 0; draws_sheets && first < plan.files.size(); first += kRowsOfSheet) {
    plan.sheets.push_back(out / fmt::format("before_after_{}.png", plan.sheets.size() + 1));
    becomes.emplace(plan.sheets.back(), "a sheet");
  }
  for (const RestorationFile& file : plan.files) {
    const auto [other, is_new] = becomes.emplace(file.to, file.from);
    if (!is_new) {
      throw_error(Error::Kind::usage,
                  "{} and {}: would both be written as {}; name them in two calls, with another --out",
                  other->second.string(), file.from.string(), file.to.string());
    }
  }
  for (const auto& [to, from] : becomes) {
    std::error_code unknown;
    if (fs::exists(fs::symlink_status(to, unknown))) {
      throw_error(Error::Kind::usage, "{}: is there already; name another folder with --out, or remove it",
                  to.string());
    }
  }
  return plan;
}

}  // namespace duel

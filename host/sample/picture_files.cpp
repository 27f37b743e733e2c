#include "host/sample/picture_files.h"

#include "host/data/idx.h"
#include "host/data/in_parallel.h"
#include "host/data/open_dataset.h"
#include "host/data/photograph_source.h"
#include "host/data/scan_photographs.h"
#include "host/device/default_threads.h"
#include "host/pictures/png.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace duel {

namespace {

namespace fs = std::filesystem;

// By its content: the magic number of bytes, or gzip, which no photograph begins with.
bool is_idx(const std::string& file) {
  std::array<unsigned char, 3> head{};
  std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(head.data()), head.size());
  return (head[0] == 0 && head[1] == 0 && head[2] == 0x08) || (head[0] == 0x1f && head[1] == 0x8b);
}

void check_size(const std::string& file, int height, int width, int channels, const Shape& picture) {
  if (height != picture[1] || width != picture[2] || channels != picture[3]) {
    throw_error(Error::Kind::data, "{}: is of {}x{} pixels with {} channels, but the network takes {}x{} with {}", file,
                height, width, channels, picture[1], picture[2], picture[3]);
  }
}

// Without the path that it begins with.
std::string reason_of(const Error& error, const std::string& file) {
  const std::string text = error.what();
  return text.starts_with(file + ": ") ? text.substr(file.size() + 2) : text;
}

}  // namespace

Options::Data data_like(const Options::Data& trained, const Shape& picture) {
  Options::Data options = trained;
  options.size = fmt::format("{}x{}", picture[2], picture[1]);
  options.alpha = picture[3] == 4 ? "keep" : "flatten";
  options.colour = picture[3] == 1 ? "grey" : "colour";
  return options;
}

TakenPictures taken_pictures(const Options& trained, const Shape& picture) {
  TakenPictures taken{picture, std::nullopt, trained.threads > 0 ? trained.threads : default_threads().threads};
  if (is_of_photographs(trained.data.source)) {
    taken.form = picture_form(data_like(trained.data, picture));
  }
  return taken;
}

PictureFiles::PictureFiles(const std::vector<std::string>& files, TakenPictures taken) : taken_(std::move(taken)) {
  for (const std::string& file : files) {
    std::error_code unknown;
    if (!fs::is_directory(file, unknown)) {
      files_.push_back(file);
      continue;
    }
    const PhotographFolder folder = list_photographs(file);
    if (folder.pictures.empty() && folder.skipped.empty()) {
      throw_error(Error::Kind::data, "{}: there is no picture (JPEG, PNG, WebP or TIFF) in this folder", file);
    }
    for (const Photograph& picture : folder.pictures) {
      files_.push_back((folder.path / picture.file).string());
    }
    for (const SkippedFile& each : folder.skipped) {
      listed_.push_back({(folder.path / each.file).string(), each.reason});
    }
  }
}

void PictureFiles::read(std::size_t batch, const Take& take) {
  unread_ = listed_;
  std::size_t taken = 0;
  const Take counted = [&](std::span<const std::string> names, std::span<const std::uint8_t> pixels) {
    taken += names.size();
    take(names, pixels);
  };
  for (std::size_t first = 0; first < files_.size();) {
    if (is_idx(files_[first])) {
      read_idx_file(files_[first++], batch, counted);
      continue;
    }
    std::size_t last = first + 1;
    while (last < files_.size() && last - first < batch && !is_idx(files_[last])) {
      ++last;
    }
    read_single(std::span(files_).subspan(first, last - first), counted);
    first = last;
  }
  if (taken == 0 && !unread_.empty()) {
    throw_error(Error::Kind::data, "{}: {}{}", unread_.front().file, unread_.front().reason,
                unread_.size() == 1 ? "" : fmt::format("; none of the {} files can be read", unread_.size()));
  }
}

void PictureFiles::read_single(std::span<const std::string> files, const Take& take) {
  const auto bytes = static_cast<std::size_t>(taken_.picture.count());
  std::vector<std::uint8_t> pixels(files.size() * bytes);
  std::vector<std::string> faults(files.size());
  in_parallel(taken_.threads, static_cast<std::int64_t>(files.size()), [&](std::int64_t i) {
    const auto place = static_cast<std::size_t>(i);
    try {
      read_one(files[place], std::span(pixels).subspan(place * bytes, bytes));
    } catch (const Error& error) {
      faults[place] = reason_of(error, files[place]);
    }
  });
  std::vector<std::string> names;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!faults[i].empty()) {
      unread_.push_back({files[i], faults[i]});
      continue;
    }
    std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes,
                pixels.begin() + static_cast<std::ptrdiff_t>(names.size() * bytes));
    names.push_back(files[i]);
  }
  if (!names.empty()) {
    take(names, std::span(pixels).first(names.size() * bytes));
  }
}

void PictureFiles::read_one(const std::string& file, std::span<std::uint8_t> to) const {
  if (taken_.form) {
    decode_picture(file, *taken_.form, to);
    return;
  }
  const Shape& shape = taken_.picture;
  const Picture read = read_png(file, shape[3] % 2 == 0 ? Transparency::kept : Transparency::on_white);
  check_size(file, read.height, read.width, read.channels, shape);
  std::copy(read.pixels.begin(), read.pixels.end(), to.begin());
}

void PictureFiles::read_idx_file(const std::string& file, std::size_t batch, const Take& take) {
  IdxArray read;
  try {
    read = read_idx(file);
    if (read.shape.rank() == 1) {
      throw_error(Error::Kind::data, "{}: holds labels {} where pictures [N,H,W] or [N,H,W,C] are needed", file,
                  to_string(read.shape));
    }
    check_size(file, read.shape[1], read.shape[2], read.shape.rank() == 4 ? read.shape[3] : 1, taken_.picture);
  } catch (const Error& error) {
    unread_.push_back({file, reason_of(error, file)});
    return;
  }
  const auto bytes = static_cast<std::size_t>(taken_.picture.count());
  const auto rows = static_cast<std::size_t>(read.shape[0]);
  for (std::size_t first = 0; first < rows; first += batch) {
    std::vector<std::string> names;
    for (std::size_t row = first; row < std::min(rows, first + batch); ++row) {
      names.push_back(fmt::format("{}#{}", file, row));
    }
    take(names, std::span(read.values).subspan(first * bytes, names.size() * bytes));
  }
}

}  // namespace duel

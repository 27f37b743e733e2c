#include "host/pictures/vips/photograph_file.h"

#include "host/files/file_descriptor.h"
#include "host/pictures/decode.h"
#include "kernels/check.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

namespace duel {

namespace {

constexpr std::int64_t kMaxFileBytes = std::int64_t{1} << 29;
constexpr const char* kFormatNames[] = {"JPEG", "PNG", "WebP", "TIFF", "GIF"};

}  // namespace

const char* name_of(PhotographFormat format) {
  return kFormatNames[static_cast<std::size_t>(format)];
}

std::vector<std::byte> photograph_bytes(const std::filesystem::path& path) {
  const FileDescriptor file = open_file(path, O_RDONLY | O_NONBLOCK);  // or a pipe would be waited for
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw_error(Error::Kind::data, "{}: is no file", path.string());
  }
  if (status.st_size == 0) {
    throw_error(Error::Kind::data, "{}: is empty (0 bytes)", path.string());
  }
  if (status.st_size > kMaxFileBytes) {
    throw_error(Error::Kind::data, "{}: has {} bytes, and pictures of at most {} are read", path.string(),
                status.st_size, kMaxFileBytes);
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  read_all(file, 0, bytes, path);
  return bytes;
}

PhotographFormat format_of(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xff\xd8\xff")) {
    return PhotographFormat::jpeg;
  }
  if (text.starts_with("\x89PNG\r\n\x1a\n")) {
    return PhotographFormat::png;
  }
  if (text.starts_with("RIFF") && text.substr(std::min<std::size_t>(8, text.size())).starts_with("WEBP")) {
    return PhotographFormat::webp;
  }
  for (const std::string_view magic : {std::string_view("II*\0", 4), std::string_view("MM\0*", 4),
                                       std::string_view("II+\0", 4), std::string_view("MM\0+", 4)}) {
    if (text.starts_with(magic)) {
      return PhotographFormat::tiff;
    }
  }
  if (text.starts_with("GIF8")) {
    return PhotographFormat::gif;
  }
  throw_error(Error::Kind::data, "{}: is no JPEG, PNG, WebP, TIFF or GIF, whatever its name says", path.string());
}

VipsPicture open_photograph(std::span<const std::byte> bytes, PhotographFormat format, int reduction,
                            const std::filesystem::path& path) {
  VipsImage* image = nullptr;
  void* data = const_cast<std::byte*>(bytes.data());
  const std::size_t size = bytes.size();
  constexpr auto kAccess = VIPS_ACCESS_SEQUENTIAL;
  constexpr auto kFail = VIPS_FAIL_ON_TRUNCATED;
  int failed = -1;
  switch (format) {
    case PhotographFormat::jpeg:
      failed =
          vips_jpegload_buffer(data, size, &image, "access", kAccess, "fail_on", kFail, "shrink", reduction, nullptr);
      break;
    case PhotographFormat::png:
      failed = vips_pngload_buffer(data, size, &image, "access", kAccess, "fail_on", kFail, nullptr);
      break;
    case PhotographFormat::webp:
      failed = vips_webpload_buffer(data, size, &image, "access", kAccess, "fail_on", kFail, "scale", 1.0 / reduction,
                                    nullptr);
      break;
    case PhotographFormat::tiff:
      failed = vips_tiffload_buffer(data, size, &image, "access", kAccess, "fail_on", kFail, nullptr);
      break;
    case PhotographFormat::gif:
      failed = vips_gifload_buffer(data, size, &image, "access", kAccess, "fail_on", kFail, nullptr);
      break;
  }
  if (failed != 0) {
    refuse_damaged(path, format);
  }
  return VipsPicture(image);
}

void check_extents(const VipsImage* image, const std::filesystem::path& path) {
  const std::int64_t width = image->Xsize, height = image->Ysize;
  if (width > kMaxPictureSide || height > kMaxPictureSide || width * height > kMaxPicturePixels) {
    throw_error(Error::Kind::data, "{}: has {}x{} pixels, and pictures of at most {} a side and {} in all are read",
                path.string(), width, height, kMaxPictureSide, kMaxPicturePixels);
  }
}

void refuse_damaged(const std::filesystem::path& path, PhotographFormat format) {
  vips_error_clear();
  throw_error(Error::Kind::data, "{}: cannot be decoded: this {} is damaged, ends too early, or is of an uncommon kind",
              path.string(), name_of(format));
}

bool is_of_a_colour_space(VipsInterpretation type) {
  return type == VIPS_INTERPRETATION_LAB || type == VIPS_INTERPRETATION_LABS || type == VIPS_INTERPRETATION_XYZ ||
         type == VIPS_INTERPRETATION_scRGB;
}

}  // namespace duel

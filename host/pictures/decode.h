// Photographs as people keep them, decoded to rows of bytes of one size: JPEG, PNG, WebP, TIFF and GIF, by libvips.
//
// What a file holds decides, not how its name ends. It is turned as its EXIF orientation says. Colours become sRGB, by
// the embedded profile where there is a usable one; CMYK without by libvips' own. 16 bits become 8. Of animations and
// files of several pages the first picture is taken. Large JPEG and WebP files are decoded at a fraction of their size
// where that is enough, then reduced by Lanczos; where a picture must grow, bicubic (resample.h; by libvips where there
// is opacity, which colours must be weighed by).
//
// Every function may be called by several threads at once, and computes on its caller alone. Equal bytes and forms
// give equal pictures with one version of libvips. Errors are of kind `data` and begin with the path.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace duel {

enum class Fit : std::uint8_t {
  cover,    // scaled until it fills the form, the centre is kept
  contain,  // scaled until it lies within the form, in the middle of the background
  pad,      // the same, but never enlarged
};

// What a picture becomes.
struct PictureForm {
  int height = 0, width = 0;
  int channels = 3;  // 1 grey, 3 RGB, 4 RGB and opacity (255 is opaque; colours are not premultiplied)
  Fit fit = Fit::cover;
  // RGB behind transparency and beside the picture; grey of 1 channel is its luma. None: the median of each channel
  // over the picture's own outermost opaque pixels, white where there are none. With 4 channels what lies beside the
  // picture is transparent, and has this colour.
  std::optional<std::array<std::uint8_t, 3>> background;
};

// What the header of a file says, before anything is decoded.
struct PictureFacts {
  int width = 0, height = 0;  // as it is seen, after it is turned by its EXIF orientation
  int channels = 0;           // 1 grey, 3 colour; opacity does not count, a palette and CMYK are colour
  bool has_alpha = false;
  bool is_animated = false;  // or has several pages: only the first is read
  std::string format;        // "JPEG", "PNG", "WebP", "TIFF", "GIF", by its content
};

// Grows whenever the same file would become other bytes, so that what was decoded before is not taken for the same.
inline constexpr int kDecoding = 2;

// Refused from the header, before any pixel is decoded or memory is taken for one.
inline constexpr int kMaxPictureSide = 32768;                             // pixels
inline constexpr std::int64_t kMaxPicturePixels = std::int64_t{1} << 27;  // 134 million

// Whether this program was built with libvips. Without it the functions below throw, saying what to install.
bool can_decode_photographs();

PictureFacts picture_facts(const std::filesystem::path& path);

// Fills `to`: [height, width, channels] of the form. Files that end too early are refused wherever they end. Returns
// what picture_facts() does, so that a file need not be read twice.
PictureFacts decode_picture(const std::filesystem::path& path, const PictureForm& form, std::span<std::uint8_t> to);

}  // namespace duel

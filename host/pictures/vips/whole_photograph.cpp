// A whole photograph lies in memory, as its file has it, then as bytes of colours and of opacity: each is made by a
// pipeline of its own.
#include "host/pictures/whole_photograph.h"

#include "host/pictures/decode.h"
#include "host/pictures/fit_picture.h"
#include "host/pictures/vips/photograph_file.h"
#include "host/pictures/vips/start.h"
#include "kernels/check.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace duel {

class PhotographNotes {
public:
  explicit PhotographNotes(VipsPicture image) : image_(std::move(image)) {}
  VipsImage* image() const { return image_.get(); }

private:
  VipsPicture image_;  // of one pixel; its fields are meant
};

namespace {

constexpr int kQuality = 95;  // of JPEG and WebP

bool starts_with_one_of(std::string_view name, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

// Fields that say something of the photograph, whatever its size, its file's kind and its way of storing.
bool is_kept(std::string_view name) {
  return starts_with_one_of(name, {"exif-", "xmp-data", "iptc-data", VIPS_META_ICC_NAME, VIPS_META_RESOLUTION_UNIT});
}

void* copy_kept(VipsImage*, const char* name, GValue* value, void* to) {
  if (is_kept(name)) {
    vips_image_set(static_cast<VipsImage*>(to), name, value);
  }
  return nullptr;
}

class WholeDecoder {
public:
  explicit WholeDecoder(const std::filesystem::path& path) : path_(path) {}

  WholePhotograph read() {
    const std::vector<std::byte> bytes = photograph_bytes(path_);
    format_ = format_of(bytes, path_);
    VipsPicture opened = open_photograph(bytes, format_, 1, path_);
    check_extents(opened.get(), path_);
    take(vips_image_copy_memory(opened.get()));
    const int orientation = vips_image_get_orientation(image_.get());
    WholePhotograph result;
    separate();
    if (alpha_) {
      result.alpha = turned(pixels(*alpha_), orientation).pixels;
      alpha_.reset();
    }
    result.converted = to_srgb();
    result.notes = notes();
    const Picture stored = pixels(*image_);
    image_.reset();
    result.colours = orientation == 1 ? stored : turned(stored, orientation);
    return result;
  }

private:
  void take(VipsImage* next) {
    if (next == nullptr) {
      refuse_damaged(path_, format_);
    }
    image_.reset(next);
  }
  void take(int failed, VipsImage*& next) { take(failed == 0 ? next : nullptr); }

  // Opacity, of 8 bits, from colours.
  void separate() {
    is_cmyk_ = image_->Type == VIPS_INTERPRETATION_CMYK && image_->Bands >= 4;
    const int colours = is_cmyk_ ? 4 : image_->Bands <= 2 ? 1 : 3;
    if (image_->Bands == colours) {
      return;
    }
    VipsImage* next = nullptr;
    if (vips_extract_band(image_.get(), &next, colours, nullptr) != 0) {
      refuse_damaged(path_, format_);
    }
    alpha_.reset(next);
    if (alpha_->BandFmt == VIPS_FORMAT_USHORT) {
      if (vips_msb(alpha_.get(), &next, nullptr) != 0) {
        refuse_damaged(path_, format_);
      }
      alpha_.reset(next);
    }
    check_bytes(*alpha_);
    take(vips_extract_band(image_.get(), &next, 0, "n", colours, nullptr), next);
  }

  void check_bytes(const VipsImage& image) const {
    if (image.BandFmt != VIPS_FORMAT_UCHAR) {
      throw_error(Error::Kind::data, "{}: has samples of the kind {}, and such of 8 or 16 bits without a sign are read",
                  path_.string(), vips_enum_nick(VIPS_TYPE_BAND_FORMAT, image.BandFmt));
    }
  }

  // To three colours of 8 bits. Returns what they were, where they had to change.
  std::string to_srgb() {
    VipsImage* next = nullptr;
    const bool is_wide = image_->BandFmt == VIPS_FORMAT_USHORT;
    const bool is_space = is_of_a_colour_space(image_->Type);
    const bool is_grey = image_->Bands == 1;
    if (!is_space && !is_wide) {
      check_bytes(*image_);
    }
    if (!is_space && !is_wide && !is_grey && !is_cmyk_) {
      return "";  // named as sRGB when it is written; its profile says what it is
    }
    const std::string was = is_cmyk_ ? "CMYK" : is_grey ? "grey" : is_wide ? "16 bits" : "Lab";
    if (!is_space) {
      name_colours(is_grey, is_wide);
    }
    const bool has_profile = vips_image_get_typeof(image_.get(), VIPS_META_ICC_NAME) != 0;
    if (has_profile && vips_icc_transform(image_.get(), &next, "srgb", "embedded", 1, nullptr) == 0) {
      image_.reset(next);
    } else if (is_cmyk_) {
      take(vips_icc_transform(image_.get(), &next, "srgb", "input_profile", "cmyk", nullptr), next);
    } else {
      take(vips_colourspace(image_.get(), &next, VIPS_INTERPRETATION_sRGB, nullptr), next);
      vips_image_remove(image_.get(), VIPS_META_ICC_NAME);  // one that did not fit
    }
    vips_error_clear();
    check_bytes(*image_);
    return was;
  }

  void name_colours(bool is_grey, bool is_wide) {
    const VipsInterpretation grey = is_wide ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W;
    const VipsInterpretation colour = is_wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
    VipsImage* next = nullptr;
    take(vips_copy(image_.get(), &next, "interpretation",
                   is_cmyk_  ? VIPS_INTERPRETATION_CMYK
                   : is_grey ? grey
                             : colour,
                   nullptr),
         next);
  }

  Picture pixels(VipsImage& image) const {
    std::size_t size = 0;
    const VipsMemory memory(vips_image_write_to_memory(&image, &size));
    Picture picture{image.Ysize, image.Xsize, image.Bands, {}};
    if (!memory) {
      refuse_damaged(path_, format_);
    }
    check(size == static_cast<std::size_t>(picture.height) * picture.width * picture.channels,
          "{}: {} bytes of {}x{}x{}", path_.string(), size, picture.height, picture.width, picture.channels);
    const auto* first = static_cast<const std::uint8_t*>(memory.get());
    picture.pixels.assign(first, first + size);
    return picture;
  }

  std::shared_ptr<const PhotographNotes> notes() const {
    static const std::uint8_t pixel[3] = {0, 0, 0};
    VipsPicture one(vips_image_new_from_memory_copy(pixel, sizeof pixel, 1, 1, 3, VIPS_FORMAT_UCHAR));
    check(one != nullptr, "libvips makes no picture of one pixel");
    one->Xres = image_->Xres;
    one->Yres = image_->Yres;
    vips_image_map(image_.get(), copy_kept, one.get());
    vips_autorot_remove_angle(one.get());
    return std::make_shared<const PhotographNotes>(std::move(one));
  }

  const std::filesystem::path& path_;
  PhotographFormat format_ = PhotographFormat::jpeg;
  VipsPicture image_, alpha_;
  bool is_cmyk_ = false;
};

}  // namespace

WholePhotograph read_whole_photograph(const std::filesystem::path& path) {
  start_vips();
  return WholeDecoder(path).read();
}

std::string encode_photograph(const Picture& picture, SavedFormat format, const PhotographNotes& like,
                              const std::filesystem::path& path) {
  start_vips();
  const auto refuse_on = [&](bool failed) {
    if (failed) {
      throw_error(Error::Kind::data, "{}: this picture of {}x{} pixels cannot be encoded: {}", path.string(),
                  picture.width, picture.height, taken_vips_message());
    }
  };
  const VipsPicture plain(vips_image_new_from_memory(picture.pixels.data(), picture.pixels.size(), picture.width,
                                                     picture.height, picture.channels, VIPS_FORMAT_UCHAR));
  refuse_on(plain == nullptr);
  VipsImage* named = nullptr;
  const VipsInterpretation meaning = picture.channels < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  refuse_on(vips_copy(plain.get(), &named, "interpretation", meaning, "xres", like.image()->Xres, "yres",
                      like.image()->Yres, nullptr) != 0);
  const VipsPicture image(named);
  vips_image_map(like.image(), copy_kept, image.get());
  vips_image_set_int(image.get(), VIPS_META_ORIENTATION, 1);  // or EXIF would keep the angle that was
  if (picture.channels < 3) {
    vips_image_remove(image.get(), VIPS_META_ICC_NAME);
  }
  void* bytes = nullptr;
  std::size_t size = 0;
  int failed = -1;
  switch (format) {
    case SavedFormat::jpeg: failed = vips_jpegsave_buffer(image.get(), &bytes, &size, "Q", kQuality, nullptr); break;
    case SavedFormat::png: failed = vips_pngsave_buffer(image.get(), &bytes, &size, nullptr); break;
    case SavedFormat::webp: failed = vips_webpsave_buffer(image.get(), &bytes, &size, "Q", kQuality, nullptr); break;
    case SavedFormat::tiff:
      failed = vips_tiffsave_buffer(image.get(), &bytes, &size, "compression", VIPS_FOREIGN_TIFF_COMPRESSION_LZW,
                                    "predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL, nullptr);
      break;
  }
  const VipsMemory file(bytes);
  refuse_on(failed != 0);
  return {static_cast<const char*>(bytes), size};
}

}  // namespace duel

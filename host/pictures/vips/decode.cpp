// Pictures by libvips, whose pipelines are lazy: what opens a file reads its header, and rows are decoded as the strips
// of the scaled picture ask for them. So a picture of any size takes little memory.
//
// The strips are asked for here, on the calling thread. vips_image_write_to_memory() would hand each pipeline to a
// worker thread; for small pictures that took as long again as decoding them.
#include "host/pictures/decode.h"
#include "host/pictures/fit_picture.h"
#include "host/pictures/resample.h"
#include "host/pictures/vips/photograph_file.h"
#include "host/pictures/vips/start.h"
#include "kernels/check.h"

#include <vips/vips.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

namespace duel {

namespace {

constexpr int kStripRows = 16;
// What is scaled to so many times the form's pixels is cut to the form's shape first: a picture of 30,000 x 10 pixels
// would fill gigabytes when it is scaled until it covers a square.
constexpr std::int64_t kMaxExcess = 16;

// A picture in a file in memory, which outlives it.
class Decoder {
public:
  Decoder(std::span<const std::byte> bytes, const std::filesystem::path& path)
      : bytes_(bytes), path_(path), format_(format_of(bytes, path)), image_(open(1)) {
    check_extents(image_.get(), path);
    orientation_ = vips_image_get_orientation(image_.get());
    is_cmyk_ = image_->Type == VIPS_INTERPRETATION_CMYK && image_->Bands >= 4;
    const bool is_grey = image_->Bands <= 2;
    colours_ = is_cmyk_ ? 4 : is_grey ? 1 : 3;
    has_alpha_ = image_->Bands > colours_;
  }

  PictureFacts facts() const {
    PictureFacts facts;
    facts.width = image_->Xsize;
    facts.height = image_->Ysize;
    if (swaps_sides(orientation_)) {
      std::swap(facts.width, facts.height);
    }
    facts.channels = colours_ == 1 ? 1 : 3;
    facts.has_alpha = has_alpha_;
    facts.is_animated = vips_image_get_n_pages(image_.get()) > 1;
    facts.format = name_of(format_);
    return facts;
  }

  void decode(const PictureForm& form, std::span<std::uint8_t> to) {
    PictureForm stored = form;  // as it lies in the file, before it is turned
    if (swaps_sides(orientation_)) {
      std::swap(stored.height, stored.width);
    }
    PictureSize scaled = fitted_size({image_->Ysize, image_->Xsize}, stored);
    const bool is_cut = std::int64_t{scaled.height} * scaled.width > kMaxExcess * stored.height * stored.width;
    if (is_cut) {
      cut_to(stored);
      scaled = fitted_size({image_->Ysize, image_->Xsize}, stored);
    } else {
      reopen_reduced(scaled);
    }
    to_bytes();
    scale_to(scaled);
    to_srgb();
    fill_form(turned(pixels(scaled), orientation_), form, to);
  }

private:
  // Throws where `failed` is not 0; otherwise the result of an operation of libvips is the picture from here on. It is
  // a reference because the operation, itself an argument, sets it.
  void take(int failed, VipsImage*& result) {
    if (failed != 0) {
      refuse_damaged(path_, format_);
    }
    image_.reset(result);
  }

  VipsPicture open(int reduction) const { return open_photograph(bytes_, format_, reduction, path_); }

  // JPEG and WebP come smaller for less work. Twice the wanted size is left, because they reduce by plain averages.
  void reopen_reduced(PictureSize scaled) {
    if (format_ != PhotographFormat::jpeg && format_ != PhotographFormat::webp) {
      return;
    }
    int reduction = 1;
    while (reduction < 8 && image_->Xsize >= 4 * reduction * scaled.width &&
           image_->Ysize >= 4 * reduction * scaled.height) {
      reduction *= 2;
    }
    if (reduction > 1) {
      image_ = open(reduction);
    }
  }

  // The centre of the form's shape. All is decoded, so that a file that ends too early is noticed.
  void cut_to(const PictureForm& form) {
    VipsImage* whole = vips_image_copy_memory(image_.get());
    take(whole == nullptr ? -1 : 0, whole);
    const double scale =
        std::max(static_cast<double>(form.height) / image_->Ysize, static_cast<double>(form.width) / image_->Xsize);
    const int height = std::clamp(static_cast<int>(std::lround(form.height / scale)), 1, image_->Ysize);
    const int width = std::clamp(static_cast<int>(std::lround(form.width / scale)), 1, image_->Xsize);
    VipsImage* part = nullptr;
    const int failed = vips_extract_area(image_.get(), &part, (image_->Xsize - width) / 2, (image_->Ysize - height) / 2,
                                         width, height, nullptr);
    take(failed, part);
  }

  // Colours and at most one opacity, of 8 bits each.
  void to_bytes() {
    VipsImage* next = nullptr;
    if (image_->Bands > colours_ + 1) {
      take(vips_extract_band(image_.get(), &next, 0, "n", colours_ + 1, nullptr), next);
    }
    const VipsInterpretation type = is_cmyk_        ? VIPS_INTERPRETATION_CMYK
                                    : colours_ == 1 ? VIPS_INTERPRETATION_B_W
                                                    : VIPS_INTERPRETATION_sRGB;
    if (image_->BandFmt == VIPS_FORMAT_USHORT) {
      take(vips_msb(image_.get(), &next, nullptr), next);
    } else if (is_of_a_colour_space(image_->Type)) {
      take(vips_colourspace(image_.get(), &next, VIPS_INTERPRETATION_sRGB, nullptr), next);
    }
    if (image_->BandFmt != VIPS_FORMAT_UCHAR) {
      throw_error(Error::Kind::data, "{}: has samples of the kind {}, and such of 8 or 16 bits without a sign are read",
                  path_.string(), vips_enum_nick(VIPS_TYPE_BAND_FORMAT, image_->BandFmt));
    }
    if (image_->Type != type) {
      take(vips_copy(image_.get(), &next, "interpretation", type, nullptr), next);
    }
  }

  // Opaque and transparent neighbours mix by their opacity: what lies unseen in transparent pixels does not show. For
  // that libvips has all that is needed; what is opaque is several times as quick by our own Resampler.
  void scale_to(PictureSize size) {
    const double across = static_cast<double>(size.width) / image_->Xsize;
    const double down = static_cast<double>(size.height) / image_->Ysize;
    if (across == 1 && down == 1) {
      return;
    }
    if (!has_alpha_) {
      replace_pixels(resampled_rows(size));
      return;
    }
    VipsImage* next = nullptr;
    take(vips_premultiply(image_.get(), &next, nullptr), next);
    take(vips_resize(image_.get(), &next, across, "vscale", down, nullptr), next);
    take(vips_unpremultiply(image_.get(), &next, nullptr), next);
    take(vips_rint(image_.get(), &next, nullptr), next);
    take(vips_cast_uchar(image_.get(), &next, nullptr), next);
  }

  Picture resampled_rows(PictureSize size) {
    const bool grows = size.width > image_->Xsize || size.height > image_->Ysize;
    Resampler resampler({image_->Ysize, image_->Xsize}, size, image_->Bands,
                        grows ? ResampleFilter::bicubic : ResampleFilter::lanczos);
    for_each_strip([&](const VipsRegion& strip, int y, int rows) {
      resampler.add_rows(VIPS_REGION_ADDR(&strip, 0, y), rows, VIPS_REGION_LSKIP(&strip));
    });
    return resampler.finish();
  }

  // The picture is `picture` from here on, with the colour profile that it had.
  void replace_pixels(Picture picture) {
    rows_ = std::move(picture);
    VipsPicture next(vips_image_new_from_memory(rows_.pixels.data(), rows_.pixels.size(), rows_.width, rows_.height,
                                                rows_.channels, VIPS_FORMAT_UCHAR));
    next->Type = image_->Type;
    const void* profile = nullptr;
    std::size_t size = 0;
    if (vips_image_get_typeof(image_.get(), VIPS_META_ICC_NAME) != 0 &&
        vips_image_get_blob(image_.get(), VIPS_META_ICC_NAME, &profile, &size) == 0) {
      vips_image_set_blob_copy(next.get(), VIPS_META_ICC_NAME, profile, size);
    }
    image_ = std::move(next);
  }

  // A profile that fits other channels, or is broken, is left aside as browsers do.
  void to_srgb() {
    VipsImage* next = nullptr;
    const bool has_profile = vips_image_get_typeof(image_.get(), VIPS_META_ICC_NAME) != 0;
    if (has_profile && vips_icc_transform(image_.get(), &next, "srgb", "embedded", 1, nullptr) == 0) {
      image_.reset(next);
    } else if (is_cmyk_) {
      take(vips_icc_transform(image_.get(), &next, "srgb", "input_profile", "cmyk", nullptr), next);
    }
    if (has_profile) {
      vips_error_clear();
    }
  }

  Picture pixels(PictureSize size) {
    check(image_->Xsize == size.width && image_->Ysize == size.height && image_->Bands <= 4 &&
              image_->BandFmt == VIPS_FORMAT_UCHAR,
          "{}: was scaled to {}x{}x{} instead of {}x{}", path_.string(), image_->Xsize, image_->Ysize, image_->Bands,
          size.width, size.height);
    Picture picture{size.height, size.width, image_->Bands, {}};
    const std::size_t row = static_cast<std::size_t>(size.width) * picture.channels;
    picture.pixels.resize(row * size.height);
    std::uint8_t* to = picture.pixels.data();
    for_each_strip([&](const VipsRegion& strip, int y, int rows) {
      for (int i = 0; i < rows; ++i, to += row) {
        std::memcpy(to, VIPS_REGION_ADDR(&strip, 0, y + i), row);
      }
    });
    return picture;
  }

  // Calls with a region that holds the next rows, from the top, and with the first one's number and how many they are.
  template <class Use>
  void for_each_strip(const Use& use) {
    const std::unique_ptr<VipsRegion, UnrefObject> region(vips_region_new(image_.get()));
    for (int y = 0; y < image_->Ysize; y += kStripRows) {
      const VipsRect strip{0, y, image_->Xsize, std::min(kStripRows, image_->Ysize - y)};
      if (vips_region_prepare(region.get(), &strip) != 0) {
        refuse_damaged(path_, format_);
      }
      use(*region, y, strip.height);
    }
  }

  std::span<const std::byte> bytes_;
  const std::filesystem::path& path_;
  PhotographFormat format_;
  Picture rows_;  // outlives the image that reads it
  VipsPicture image_;
  int orientation_ = 1, colours_ = 3;
  bool is_cmyk_ = false, has_alpha_ = false;
};

}  // namespace

bool can_decode_photographs() {
  return true;
}

PictureFacts picture_facts(const std::filesystem::path& path) {
  start_vips();
  const std::vector<std::byte> bytes = photograph_bytes(path);
  return Decoder(bytes, path).facts();
}

PictureFacts decode_picture(const std::filesystem::path& path, const PictureForm& form, std::span<std::uint8_t> to) {
  check(form.height > 0 && form.width > 0 && (form.channels == 1 || form.channels == 3 || form.channels == 4) &&
            std::ssize(to) == std::int64_t{form.height} * form.width * form.channels,
        "decode_picture: a form of {}x{}x{} cannot have {} bytes", form.height, form.width, form.channels, to.size());
  start_vips();
  const std::vector<std::byte> bytes = photograph_bytes(path);
  Decoder decoder(bytes, path);
  PictureFacts facts = decoder.facts();
  decoder.decode(form, to);
  return facts;
}

}  // namespace duel

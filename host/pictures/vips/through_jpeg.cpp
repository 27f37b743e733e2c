#include "host/pictures/degrade.h"
#include "host/pictures/vips/handles.h"
#include "host/pictures/vips/start.h"
#include "kernels/check.h"

#include <vips/vips.h>

#include <cstdint>

namespace duel {

namespace {

[[noreturn]] void refuse() {
  throw_error(Error::Kind::data, "a picture cannot be brought through JPEG: {}", taken_vips_message());
}

}  // namespace

Picture through_jpeg(const Picture& picture, int quality) {
  start_vips();
  const VipsPicture plain(vips_image_new_from_memory(picture.pixels.data(), picture.pixels.size(), picture.width,
                                                     picture.height, picture.channels, VIPS_FORMAT_UCHAR));
  if (!plain) {
    refuse();
  }
  VipsImage* named = nullptr;  // as colours: bands alone would be taken for something else
  const VipsInterpretation meaning = picture.channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  if (vips_copy(plain.get(), &named, "interpretation", meaning, nullptr) != 0) {
    refuse();
  }
  const VipsPicture source(named);
  void* bytes = nullptr;
  std::size_t length = 0;
  if (vips_jpegsave_buffer(source.get(), &bytes, &length, "Q", quality, nullptr) != 0) {
    refuse();
  }
  const VipsMemory file(bytes);
  VipsImage* read = nullptr;
  if (vips_jpegload_buffer(bytes, length, &read, nullptr) != 0) {
    refuse();
  }
  const VipsPicture loaded(read);
  std::size_t size = 0;
  const VipsMemory pixels(vips_image_write_to_memory(loaded.get(), &size));
  Picture result{loaded->Ysize, loaded->Xsize, loaded->Bands, {}};
  if (!pixels || size != picture.pixels.size() || result.width != picture.width ||
      result.channels != picture.channels) {
    refuse();
  }
  const auto* first = static_cast<const std::uint8_t*>(pixels.get());
  result.pixels.assign(first, first + size);
  return result;
}

}  // namespace duel

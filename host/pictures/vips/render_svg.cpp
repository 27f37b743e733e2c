#include "host/pictures/svg.h"
#include "host/pictures/vips/handles.h"
#include "host/pictures/vips/start.h"
#include "kernels/address_sanitizer.h"
#include "kernels/check.h"

#include <vips/vips.h>

#include <cstdint>

#if DUEL_ASAN
// Text of drawings makes fontconfig read its configuration, which it keeps until the process ends.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfontconfig\n";
}
// It would list them on standard error, behind what a verb prints.
extern "C" const char* __lsan_default_options();
extern "C" const char* __lsan_default_options() {
  return "print_suppressions=0";
}
#endif

namespace duel {

namespace {

[[noreturn]] void refuse() {
  throw_error(Error::Kind::data, "the drawing cannot be rendered: {}", taken_vips_message());
}

}  // namespace

Picture render_svg(const std::string& svg) {
  start_vips();
  VipsImage* loaded = nullptr;
  if (vips_svgload_buffer(const_cast<char*>(svg.data()), svg.size(), &loaded, nullptr) != 0) {
    refuse();
  }
  const VipsPicture drawing(loaded);
  VipsArrayDouble* white = vips_array_double_newv(1, 255.0);
  VipsImage* flat = nullptr;
  const int failed = vips_flatten(drawing.get(), &flat, "background", white, nullptr);
  vips_area_unref(VIPS_AREA(white));
  if (failed != 0) {
    refuse();
  }
  const VipsPicture opaque(flat);
  std::size_t bytes = 0;
  const VipsMemory pixels(vips_image_write_to_memory(opaque.get(), &bytes));
  Picture picture{opaque->Ysize, opaque->Xsize, opaque->Bands, {}};
  if (!pixels || opaque->Bands != 3 || bytes != static_cast<std::size_t>(picture.height) * picture.width * 3) {
    refuse();
  }
  const auto* first = static_cast<const std::uint8_t*>(pixels.get());
  picture.pixels.assign(first, first + bytes);
  return picture;
}

}  // namespace duel

#include "host/pictures/gif.h"

#include "host/files/atomic_file.h"
#include "host/pictures/vips/handles.h"
#include "host/pictures/vips/start.h"
#include "kernels/check.h"

#include <vips/vips.h>

#include <cstdint>
#include <vector>

namespace duel {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw_error(Error::Kind::data, "{}: the animation cannot be written: {}", file.string(), taken_vips_message());
}

}  // namespace

std::string why_no_gif() {
  start_vips();
  return vips_type_find("VipsOperation", "gifsave_buffer") == 0 ? "this libvips was built without cgif" : "";
}

void write_gif(const std::filesystem::path& file, std::span<const Picture> frames, int milliseconds) {
  start_vips();
  check(!frames.empty(), "gif: {} has no frames", file.string());
  const int height = frames[0].height, width = frames[0].width;
  std::vector<std::uint8_t> pixels;  // one frame below the other, in colour
  for (const Picture& frame : frames) {
    check(frame.height == height && frame.width == width, "gif: a frame of {}x{} among those of {}x{}", frame.width,
          frame.height, width, height);
    const auto channels = static_cast<std::size_t>(frame.channels);
    for (std::size_t i = 0; i < frame.pixels.size(); i += channels) {
      for (std::size_t c = 0; c < 3; ++c) {
        pixels.push_back(frame.pixels[i + (channels < 3 ? 0 : c)]);
      }
    }
  }
  VipsImage* made = vips_image_new_from_memory(pixels.data(), pixels.size(), width,
                                               height * static_cast<int>(frames.size()), 3, VIPS_FORMAT_UCHAR);
  if (made == nullptr) {
    refuse(file);
  }
  const VipsPicture strip(made);
  VipsImage* coloured = nullptr;
  if (vips_copy(strip.get(), &coloured, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr) != 0) {
    refuse(file);
  }
  const VipsPicture animation(coloured);
  const std::vector<int> delays(frames.size(), milliseconds);
  vips_image_set_int(animation.get(), VIPS_META_PAGE_HEIGHT, height);
  vips_image_set_array_int(animation.get(), "delay", delays.data(), static_cast<int>(delays.size()));
  vips_image_set_int(animation.get(), "loop", 0);
  void* written = nullptr;
  std::size_t size = 0;
  if (vips_gifsave_buffer(animation.get(), &written, &size, nullptr) != 0) {
    refuse(file);
  }
  const VipsMemory bytes(written);
  write_file_atomically(file, std::span(static_cast<const std::byte*>(written), size));
}

}  // namespace duel

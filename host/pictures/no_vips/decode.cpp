// Where libvips was not found when Duel was built.
#include "host/pictures/decode.h"

#include "kernels/check.h"

namespace duel {

namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
  throw_error(Error::Kind::data,
              "{}: this build of duel decodes no photographs, because libvips was not found when it was built; install "
              "libvips-dev (bash tools/setup.sh does) and build again",
              path.string());
}

}  // namespace

bool can_decode_photographs() {
  return false;
}

PictureFacts picture_facts(const std::filesystem::path& path) {
  refuse(path);
}

PictureFacts decode_picture(const std::filesystem::path& path, const PictureForm&, std::span<std::uint8_t>) {
  refuse(path);
}

}  // namespace duel

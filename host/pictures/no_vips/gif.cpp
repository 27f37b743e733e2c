// Where libvips was not found when Duel was built.
#include "host/pictures/gif.h"

#include "kernels/check.h"

namespace duel {

std::string why_no_gif() {
  return "this program was built without libvips";
}

void write_gif(const std::filesystem::path& file, std::span<const Picture>, int) {
  throw_error(Error::Kind::data, "{}: no GIF can be written, for {}", file.string(), why_no_gif());
}

}  // namespace duel

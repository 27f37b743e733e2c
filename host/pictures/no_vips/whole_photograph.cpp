// Where libvips was not found when Duel was built.
#include "host/pictures/whole_photograph.h"

#include "kernels/check.h"

namespace duel {

class PhotographNotes {};

namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
  throw_error(Error::Kind::data,
              "{}: this build of duel decodes no photographs, because libvips was not found when it was built; install "
              "libvips-dev (bash tools/setup.sh does) and build again",
              path.string());
}

}  // namespace

WholePhotograph read_whole_photograph(const std::filesystem::path& path) {
  refuse(path);
}

std::string encode_photograph(const Picture&, SavedFormat, const PhotographNotes&, const std::filesystem::path& path) {
  refuse(path);
}

}  // namespace duel

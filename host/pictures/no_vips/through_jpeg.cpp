// Where libvips was not found when Duel was built.
#include "host/pictures/degrade.h"

#include "kernels/check.h"

namespace duel {

Picture through_jpeg(const Picture&, int) {
  throw_error(Error::Kind::data,
              "data.degrade = jpeg: this build of duel has no JPEG, because libvips was not found when it was built; "
              "install libvips-dev (bash tools/setup.sh does) and build again");
}

}  // namespace duel

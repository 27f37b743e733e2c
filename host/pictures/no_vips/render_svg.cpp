// Where libvips was not found when Duel was built.
#include "host/pictures/svg.h"

#include "kernels/check.h"

namespace duel {

Picture render_svg(const std::string&) {
  throw_error(Error::Kind::data,
              "this build of duel renders no drawings, because libvips was not found when it was built; write it as "
              ".svg, or install libvips-dev (bash tools/setup.sh does) and build again");
}

}  // namespace duel

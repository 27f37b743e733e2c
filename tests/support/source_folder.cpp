#include "tests/support/paths.h"

namespace duel::test {

const char* source_folder() {
  return DUEL_SOURCE_DIR;
}

}  // namespace duel::test

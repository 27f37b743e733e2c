#include "tests/emulator/vendor/fake_libraries.h"

namespace duel::test {

const char* fake_libraries() {
  return DUEL_FAKE_LIBRARIES;
}

}  // namespace duel::test

#include "tests/support/paths.h"

namespace duel::test {

const char* command_path() {
  return DUEL_COMMAND;
}

}  // namespace duel::test

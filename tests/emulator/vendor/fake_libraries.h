// The folder of the tests' own cuBLASLt and cuDNN. A function, as in tests/support/paths.h.
#pragma once

namespace duel::test {

const char* fake_libraries();

}  // namespace duel::test

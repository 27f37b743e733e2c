// Where the tests find the sources and the program. Functions, so that the paths of a build stand in two objects and
// all others are the same in every folder: a compiler's cache then serves all checkouts.
#pragma once

namespace duel::test {

const char* source_folder();
const char* command_path();  // of the program `duel`; duel_tests has it alone

}  // namespace duel::test

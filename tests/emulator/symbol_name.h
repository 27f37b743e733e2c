// The name of a function of this program, from its symbol table.
#pragma once

#include <string>

namespace duel::emulator {

// Without namespaces, template arguments and parameters: "map_kernel". Where there is no symbol, "?".
std::string function_name(const void* function);

// "map_kernel" of "void duel::(anonymous namespace)::map_kernel<float, duel::Add>(float*, long)".
std::string base_name(const std::string& signature);

}  // namespace duel::emulator

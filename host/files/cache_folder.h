// Where this program keeps what it can make again: measured choices of kernels, decoded pictures.
#pragma once

#include <filesystem>

namespace duel {

// $XDG_CACHE_HOME/duel, or .cache/duel of $HOME; "" where neither is an absolute path.
std::filesystem::path cache_folder();
inline constexpr const char* kNowhere = "neither HOME nor XDG_CACHE_HOME is an absolute path";

}  // namespace duel

// Where a folder of results is put.
#pragma once

#include <filesystem>
#include <string>

namespace duel {

// `out` without links and a slash behind. Throws kind `usage` where it is a file, or a folder with something in it.
std::filesystem::path empty_place(const std::string& out);

}  // namespace duel

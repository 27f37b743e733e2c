// Which photographs a person names are to be restored, and which file of a folder each becomes: known, and refused,
// before anything is written.
#pragma once

#include "host/data/photograph_folder.h"
#include "host/pictures/whole_photograph.h"
#include "host/restore/tiled_network.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace duel {

struct RestorationFile {
  std::filesystem::path from, to;
  SavedFormat format = SavedFormat::png;
};

struct RestorationFiles {
  std::vector<RestorationFile> files;
  std::vector<SkippedFile> skipped;           // that cannot be read, or are too small or too large for the network
  std::vector<std::filesystem::path> sheets;  // before_after_1.png and so on, for kRowsOfSheet photographs each
};

// A named photograph becomes a file of its name in `out`; one of a named folder lies there as it lies in the folder.
// The name's ending changes where the kind of file does. What the headers say decides what is skipped.
//
// Throws kind `usage` where two would become one file, or a file is there already, and kind `data` where a folder
// cannot be listed or holds no photograph, or none can be read.
RestorationFiles plan_restoration(const std::vector<std::string>& named, const std::filesystem::path& out,
                                  const RestorerForm& form, bool draws_sheets);
inline constexpr std::size_t kRowsOfSheet = 20;

// The reason that an error about a file gives, without the file's path that it begins with.
std::string reason_without_path(const std::string& sentence, const std::filesystem::path& file);

}  // namespace duel

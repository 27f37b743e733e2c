// The sample sheets of a run: which there are, and which of them a report of bounded size holds.
#pragma once

#include "host/pictures/sample_grid.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace duel {

struct Sheet {
  std::int64_t step = 0;
  std::filesystem::path file;
  std::uintmax_t bytes = 0;
  int height = 0, width = 0;  // 0 until read
};

// The sheets of one kind, by ascending step.
struct SheetSeries {
  std::string kind;   // what stands behind the step in the names: "", "raw", "reconstructions"
  std::string title;  // for people
  std::vector<Sheet> sheets;
  std::int64_t total = 0;                // there were before some were left out
  std::optional<SheetShape> shape = {};  // in pictures, where the size of a picture is known and all sheets agree
};

// Every file step_000000500.png and step_000000500_KIND.png, "" first; none where the folder is missing.
std::vector<SheetSeries> list_sheets(const std::filesystem::path& folder);

// Leaves at most `most` sheets whose files have `bytes` at most, spread evenly over the run, the first and the last
// among them; of sheets that are too large for that the last alone, or none.
void thin_sheets(SheetSeries& series, std::size_t most, std::uintmax_t bytes);

// "data:image/png;base64,..." of a file's bytes.
std::string png_uri(std::string_view bytes);

}  // namespace duel

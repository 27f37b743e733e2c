// Sheets for a person to read: rows of pictures of any sizes, with words above each row and below each picture.
#pragma once

#include "host/pictures/png.h"

#include <span>
#include <string>
#include <vector>

namespace duel {

struct CaptionedPicture {
  Picture picture;
  std::vector<std::string> lines;  // below it; may be none
};

struct CaptionedRow {
  std::string heading;  // above it; may be empty
  std::vector<CaptionedPicture> pictures;
};

// On white, in colour. Small pictures are enlarged by a whole factor, to kReadableSide pixels a side or a little more;
// what is transparent lies on white. Words are drawn by libvips: in a program that was built without it, which
// can_decode_photographs() tells, their places stay empty. Throws kind `usage` where the sheet has more pixels a side
// than are drawn.
Picture captioned_sheet(const std::string& title, std::span<const CaptionedRow> rows);
inline constexpr int kReadableSide = 96;

}  // namespace duel

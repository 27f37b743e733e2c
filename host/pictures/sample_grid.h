// Sheets of pictures for a person to look at: what a generator makes, beside one another in rows and columns.
#pragma once

#include "host/pictures/png.h"

#include <cstdint>
#include <optional>
#include <span>

namespace duel {

struct SheetShape {
  int rows = 0, columns = 0;
};

// One picture [height, width, channels] of a network: -1 becomes 0 (black) and 1 becomes 255, rounded to nearest.
// Values outside are clamped; a NaN becomes black. The last of 2 or 4 channels is opacity.
Picture to_picture(std::span<const float> values, int height, int width, int channels);

// `count` pictures [count, height, width, channels] in a sheet of `rows` by `columns`, row by row. Pictures beyond
// the sheet are left out, and places without a picture stay empty. A gap of 2 pixels, darker than mid-grey, runs
// between the pictures and around them. Pictures of less than 64 pixels are enlarged by a whole factor, each pixel
// becoming a square, so that one can see them.
Picture sample_grid(std::span<const float> values, int count, int height, int width, int channels, int rows,
                    int columns);

// The rows and columns of a sheet of `sheet_height` x `sheet_width` pixels that sample_grid() drew of such pictures;
// nothing where it drew none of that size.
std::optional<SheetShape> sheet_shape(int sheet_height, int sheet_width, int height, int width);

// Throws kind `usage` where such a sheet has more pixels a side than are drawn; sample_grid() does so too.
void check_sheet(int height, int width, int rows, int columns);
std::int64_t sheet_bytes(int height, int width, int channels, int rows, int columns);  // before it is compressed

}  // namespace duel

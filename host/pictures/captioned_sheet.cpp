#include "host/pictures/captioned_sheet.h"

#include "host/pictures/decode.h"
#include "host/pictures/svg.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace duel {

namespace {

constexpr int kMargin = 12, kGap = 8, kRowGap = 14, kTitle = 28, kHeading = 22, kLine = 15;
constexpr int kMostSide = 16'384;  // pixels of a sheet

int scale_of(const Picture& picture) {
  const int longer = std::max({picture.height, picture.width, 1});
  return std::max(1, (kReadableSide + longer - 1) / longer);
}

int lines_of(const CaptionedRow& row) {
  std::size_t most = 0;
  for (const CaptionedPicture& each : row.pictures) {
    most = std::max(most, each.lines.size());
  }
  return static_cast<int>(most);
}

int height_of(const CaptionedRow& row) {
  int height = 0;
  for (const CaptionedPicture& each : row.pictures) {
    height = std::max(height, each.picture.height * scale_of(each.picture));
  }
  return height;
}

int heading_of(const CaptionedRow& row) {
  return row.heading.empty() ? 0 : kHeading;
}

// Words take about so much: a row is never narrower than its heading.
int words_width(const std::string& words, double letter) {
  return static_cast<int>(letter * static_cast<double>(words.size()));
}

void lay(const Picture& picture, int top, int left, Picture& sheet) {
  const int scale = scale_of(picture), channels = picture.channels;
  const bool has_opacity = channels % 2 == 0;
  for (int y = 0; y < picture.height * scale; ++y) {
    for (int x = 0; x < picture.width * scale; ++x) {
      const std::uint8_t* from =
          picture.pixels.data() + (static_cast<std::size_t>(y / scale) * picture.width + x / scale) * channels;
      const int opacity = has_opacity ? from[channels - 1] : 255;
      std::uint8_t* to = sheet.pixels.data() + (static_cast<std::size_t>(top + y) * sheet.width + left + x) * 3;
      for (int c = 0; c < 3; ++c) {
        const int value = from[channels < 3 ? 0 : c];
        to[c] = static_cast<std::uint8_t>((value * opacity + 255 * (255 - opacity) + 127) / 255);
      }
    }
  }
}

struct Words {
  std::string svg;
  void add(int x, int y, const std::string& text, const char* style) {
    svg += fmt::format("<text x='{}' y='{}' {}>{}</text>", x, y, style, markup_text(text));
  }
};

}  // namespace

Picture captioned_sheet(const std::string& title, std::span<const CaptionedRow> rows) {
  int width = words_width(title, 9.2), height = kMargin + (title.empty() ? 0 : kTitle);
  for (const CaptionedRow& row : rows) {
    int its = 0;
    for (const CaptionedPicture& each : row.pictures) {
      its += each.picture.width * scale_of(each.picture) + kGap;
    }
    width = std::max({width, its - kGap, words_width(row.heading, 7.6)});
    height += heading_of(row) + height_of(row) + lines_of(row) * kLine + kRowGap;
  }
  width += 2 * kMargin;
  if (width > kMostSide || height > kMostSide) {
    throw_error(Error::Kind::usage, "sheet: {} rows of pictures are {}x{} pixels; at most {} a side are drawn",
                rows.size(), width, height, kMostSide);
  }
  Words words;
  if (!title.empty()) {
    words.add(kMargin, kMargin + 14, title, "font-size='16' font-weight='bold'");
  }
  int top = kMargin + (title.empty() ? 0 : kTitle);
  for (const CaptionedRow& row : rows) {
    if (!row.heading.empty()) {
      words.add(kMargin, top + 13, row.heading, "font-size='13'");
    }
    top += heading_of(row);
    const int below = top + height_of(row);
    int left = kMargin;
    for (const CaptionedPicture& each : row.pictures) {
      for (std::size_t i = 0; i < each.lines.size(); ++i) {
        words.add(left, below + 12 + static_cast<int>(i) * kLine, each.lines[i], "font-size='11' fill='#444'");
      }
      left += each.picture.width * scale_of(each.picture) + kGap;
    }
    top = below + lines_of(row) * kLine + kRowGap;
  }
  Picture sheet{height, width, 3, {}};
  if (can_decode_photographs()) {
    sheet = render_svg(
        fmt::format("<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' font-family='DejaVu Sans, Arial, "
                    "sans-serif'><rect width='100%' height='100%' fill='white'/>{}</svg>",
                    width, height, words.svg));
    check(sheet.width == width && sheet.height == height && sheet.channels == 3,
          "sheet: {}x{} pixels with {} channels were rendered, where {}x{} with 3 were asked for", sheet.width,
          sheet.height, sheet.channels, width, height);
  } else {
    sheet.pixels.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3, 255);
  }
  top = kMargin + (title.empty() ? 0 : kTitle);
  for (const CaptionedRow& row : rows) {
    top += heading_of(row);
    int left = kMargin;
    for (const CaptionedPicture& each : row.pictures) {
      lay(each.picture, top, left, sheet);
      left += each.picture.width * scale_of(each.picture) + kGap;
    }
    top += height_of(row) + lines_of(row) * kLine + kRowGap;
  }
  return sheet;
}

}  // namespace duel

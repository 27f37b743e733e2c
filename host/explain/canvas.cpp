#include "host/explain/canvas.h"

#include "host/pictures/svg.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace duel {

namespace {

bool begins_letter(char byte) {  // of UTF-8
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

// The bytes of the letter of UTF-8 that begins there, or 0: none does, or XML has no such letter.
std::size_t letter_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned first = byte(0), second = byte(1);
  if (first >= 0x20 && first < 0x7f) {
    return 1;
  }
  if (first >= 0xc2 && first < 0xe0) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first < 0xf0) {
    const bool is_overlong = first == 0xe0 && second < 0xa0, is_surrogate = first == 0xed && second >= 0xa0;
    const bool is_no_letter = first == 0xef && second == 0xbf && byte(2) >= 0xbe;
    return follows(1) && follows(2) && !is_overlong && !is_surrogate && !is_no_letter ? 3 : 0;
  }
  const bool is_in_range = first == 0xf0 ? second >= 0x90 : first < 0xf4 || (first == 0xf4 && second < 0x90);
  return first >= 0xf0 && is_in_range && follows(1) && follows(2) && follows(3) ? 4 : 0;
}

// Names of files need not be UTF-8, and may hold what cannot be printed: that becomes question marks.
std::string drawable(std::string_view words) {
  std::string text;
  while (!words.empty()) {
    const std::size_t length = letter_length(words);
    text += length == 0 ? std::string_view("?") : words.substr(0, length);
    words.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

}  // namespace

double width_of(const std::string& words, double font) {
  return 0.61 * font * static_cast<double>(std::count_if(words.begin(), words.end(), begins_letter));
}

std::string fitted(const std::string& words, double font, double width) {
  if (width_of(words, font) <= width) {
    return words;
  }
  std::string shorter = words;
  while (!shorter.empty() && width_of(shorter + "…", font) > width) {
    while (shorter.size() > 1 && !begins_letter(shorter.back())) {
      shorter.pop_back();
    }
    shorter.pop_back();
  }
  return shorter + "…";
}

void Canvas::text(double x, double y, const std::string& words, const std::string& style) {
  body_ += fmt::format("<text x='{:.1f}' y='{:.1f}' {}>{}</text>", x, y, style, markup_text(drawable(words)));
}

void Canvas::box(double x, double y, double width, double height, const std::string& style) {
  body_ += fmt::format("<rect x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' {}/>", x, y, width, height, style);
}

void Canvas::line(const std::vector<std::pair<double, double>>& points, const std::string& style) {
  std::string places;
  for (const auto& [x, y] : points) {
    places += fmt::format("{:.1f},{:.1f} ", x, y);
  }
  body_ += fmt::format("<polyline points='{}' fill='none' {}/>", places, style);
}

void Canvas::paste(int x, int y, Picture picture) {
  pasted_.push_back({x, y, std::move(picture)});
}

Picture Canvas::render(int width, int height) const {
  Picture sheet = render_svg(
      fmt::format("<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' font-family='DejaVu Sans, Arial, "
                  "sans-serif' font-size='13'><rect width='100%' height='100%' fill='white'/>{}</svg>\n",
                  width, height, body_));
  for (const Pasted& each : pasted_) {
    const Picture& picture = each.picture;
    check(picture.channels == 3 && each.x >= 0 && each.y >= 0 && each.x + picture.width <= sheet.width &&
              each.y + picture.height <= sheet.height,
          "canvas: a picture of {}x{} with {} channels at {},{} of {}x{}", picture.width, picture.height,
          picture.channels, each.x, each.y, sheet.width, sheet.height);
    for (int y = 0; y < picture.height; ++y) {
      const auto from = picture.pixels.begin() + std::ptrdiff_t{3} * y * picture.width;
      std::copy(from, from + std::ptrdiff_t{3} * picture.width,
                sheet.pixels.begin() + std::ptrdiff_t{3} * ((each.y + y) * sheet.width + each.x));
    }
  }
  return sheet;
}

}  // namespace duel

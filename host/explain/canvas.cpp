#include "host/explain/canvas.h"

#include "host/pictures/svg.h"
#include "kernels/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

bool begins_letter(char byte) {  // of UTF-8
  return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

}  // namespace

double width_of(const std::string& words, double font) {
  return 0.61 * font * static_cast<double>(std::count_if(words.begin(), words.end(), begins_letter));
}

std::string fitted(const std::string& words, double font, double width) {
  std::size_t first = 0;
  while (first < words.size() && width_of("…" + words.substr(first), font) > width) {
    do {
      ++first;
    } while (first < words.size() && !begins_letter(words[first]));
  }
  return width_of(words, font) <= width ? words : "…" + words.substr(first);
}

void Canvas::text(double x, double y, const std::string& words, const std::string& style) {
  body_ += fmt::format("<text x='{:.1f}' y='{:.1f}' {}>{}</text>", x, y, style, markup_text(words));
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

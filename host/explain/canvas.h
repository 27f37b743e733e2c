// A drawing of words, lines and pictures: words and lines become SVG, which libvips renders, and pictures are laid into
// its pixels as they are.
#pragma once

#include "host/pictures/png.h"

#include <string>
#include <utility>
#include <vector>

namespace duel {

// The width of a line of words in pixels, about: letters of UTF-8 at a size of font.
double width_of(const std::string& words, double font);
// Shortened, with an ellipsis behind it, until it is no wider.
std::string fitted(const std::string& words, double font, double width);

class Canvas {
public:
  // `style`: attributes of SVG.
  void text(double x, double y, const std::string& words, const std::string& style = "");
  void box(double x, double y, double width, double height, const std::string& style);
  void line(const std::vector<std::pair<double, double>>& points, const std::string& style);
  void paste(int x, int y, Picture picture);  // RGB

  // RGB on white. Throws kind `data` as render_svg() does.
  Picture render(int width, int height) const;

private:
  struct Pasted {
    int x, y;
    Picture picture;
  };
  std::string body_;
  std::vector<Pasted> pasted_;
};

}  // namespace duel

// Drawings with text, as SVG, and as pixels by libvips (librsvg).
#pragma once

#include "host/pictures/png.h"

#include <string>
#include <string_view>

namespace duel {

// Text as it may stand in an element or an attribute of SVG or HTML.
std::string markup_text(std::string_view text);

// On white, 3 channels, a pixel for each unit of the drawing's width and height. Throws kind `data` where libvips
// cannot render it, or in a program that was built without libvips.
Picture render_svg(const std::string& svg);

}  // namespace duel

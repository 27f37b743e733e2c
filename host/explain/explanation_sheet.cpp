#include "host/explain/explanation_sheet.h"

#include "host/explain/canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

constexpr int kMargin = 16, kGap = 14, kLeastSide = 208, kTop = 64, kLine = 16, kScale = 10;

// The colours from the least to the fullest, a pixel wide each.
Picture scale_picture(HeatColours colours, int width) {
  Picture scale{kScale, width, 3, {}};
  for (int y = 0; y < kScale; ++y) {
    for (int x = 0; x < width; ++x) {
      const double share = static_cast<double>(x) / (width - 1);
      const auto colour = heat_colour(colours, colours == HeatColours::strength ? share : 2 * share - 1);
      scale.pixels.insert(scale.pixels.end(), colour.begin(), colour.end());
    }
  }
  return scale;
}

}  // namespace

int panel_factor(int height, int width) {
  const int side = std::max(height, width);
  return std::max(1, (kLeastSide + side - 1) / side);
}

Picture draw(const ExplanationSheet& sheet) {
  const int panel_width = std::max(sheet.panels[0].picture.width, kLeastSide),
            panel_height = sheet.panels[0].picture.height;
  const int count = static_cast<int>(sheet.panels.size());
  const int width = 2 * kMargin + count * panel_width + (count - 1) * kGap;
  std::size_t lines = 0;
  for (const Panel& panel : sheet.panels) {
    lines = std::max(lines, panel.caption.size());
  }
  const int below = kTop + panel_height + 8;
  const int height = below + kScale + 18 + kLine * (static_cast<int>(lines) + 1) + kMargin;
  Canvas canvas;
  canvas.text(kMargin, kMargin + 15, fitted(sheet.title, 17, width - 2 * kMargin), "font-size='17' font-weight='bold'");
  canvas.text(kMargin, kMargin + 35, fitted(sheet.subtitle, 13, width - 2 * kMargin), "fill='#444'");
  for (int i = 0; i < count; ++i) {
    const Panel& panel = sheet.panels[static_cast<std::size_t>(i)];
    const int x = kMargin + i * (panel_width + kGap);
    canvas.paste(x, kTop, panel.picture);
    if (panel.full > 0) {
      const std::string least = panel.colours == HeatColours::strength ? "0" : fmt::format("{:.2g}", -panel.full);
      canvas.paste(x, below, scale_picture(panel.colours, panel.picture.width));
      canvas.text(x, below + kScale + 12, least, "font-size='11' fill='#444'");
      canvas.text(x + panel.picture.width, below + kScale + 12, fmt::format("{:.2g}", panel.full),
                  "font-size='11' fill='#444' text-anchor='end'");
    }
    double y = below + kScale + 18 + kLine;
    canvas.text(x, y, panel.title, "font-weight='bold'");
    for (const std::string& line : panel.caption) {
      y += kLine;
      canvas.text(x, y, line, "font-size='11.5' fill='#444'");
    }
  }
  return canvas.render(width, height);
}

}  // namespace duel

#include "host/explain/unit_sheet.h"

#include "host/explain/canvas.h"

#include <fmt/format.h>

#include <algorithm>

namespace duel {

namespace {

constexpr int kMargin = 16, kGap = 6, kTop = 64, kLabels = 130;

}  // namespace

Picture draw_units(const std::string& title, const std::string& subtitle, const std::vector<UnitRow>& rows) {
  int columns = 0, side_x = 1, side_y = 1;
  for (const UnitRow& row : rows) {
    columns = std::max(columns, static_cast<int>(row.pictures.size()));
    for (const Picture& picture : row.pictures) {
      side_x = picture.width;
      side_y = picture.height;
    }
  }
  const int width = std::max(2 * kMargin + kLabels + columns * (side_x + kGap), 640);
  const int height = kTop + static_cast<int>(rows.size()) * (side_y + kGap) + kMargin;
  Canvas canvas;
  canvas.text(kMargin, kMargin + 15, fitted(title, 17, width - 2 * kMargin), "font-size='17' font-weight='bold'");
  canvas.text(kMargin, kMargin + 35, fitted(subtitle, 12, width - 2 * kMargin), "fill='#444' font-size='12'");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int y = kTop + static_cast<int>(i) * (side_y + kGap);
    const double middle = y + side_y / 2.0;
    canvas.text(kMargin, middle - 10, fmt::format("channel {}", rows[i].channel), "font-weight='bold'");
    canvas.text(kMargin, middle + 8, fmt::format("adds {:+.3f}", rows[i].effect),
                fmt::format("fill='{}'", rows[i].effect < 0 ? "#0571b0" : "#ca0020"));
    canvas.text(kMargin, middle + 25, fmt::format("mean {:.3g}", rows[i].activation), "fill='#444' font-size='11'");
    for (std::size_t j = 0; j < rows[i].pictures.size(); ++j) {
      canvas.paste(kMargin + kLabels + static_cast<int>(j) * (side_x + kGap), y, rows[i].pictures[j]);
    }
  }
  return canvas.render(width, height);
}

}  // namespace duel

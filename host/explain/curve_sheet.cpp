#include "host/explain/curve_sheet.h"

#include "host/explain/canvas.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace duel {

namespace {

constexpr double kMargin = 16, kSide = 260, kLeft = 64, kTop = 92, kGap = 76, kLegend = 190;
// Okabe & Ito's colours, which colour-blind people tell apart; the last is the random map's.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#888888"};

void draw_frame(Canvas& canvas, double left, const std::string& title) {
  canvas.text(left, kTop - 12, title, "font-weight='bold'");
  canvas.box(left, kTop, kSide, kSide, "fill='none' stroke='#999'");
  for (int i = 0; i <= 4; ++i) {
    const double place = i * kSide / 4;
    canvas.line({{left, kTop + place}, {left + kSide, kTop + place}}, "stroke='#eee'");
    canvas.text(left - 6, kTop + kSide - place + 4, fmt::format("{:.2f}", i / 4.0),
                "font-size='11' fill='#444' text-anchor='end'");
    canvas.text(left + place, kTop + kSide + 16, fmt::format("{} %", 25 * i),
                "font-size='11' fill='#444' text-anchor='middle'");
  }
}

}  // namespace

Picture draw_curves(const Explained& explained) {
  const double lefts[] = {kLeft, kLeft + kSide + kGap};
  const double legend = lefts[1] + kSide + 20;
  const auto width = static_cast<int>(legend + kLegend + kMargin);
  Canvas canvas;
  canvas.text(kMargin, kMargin + 15, fitted("The probability of the class, by how many pixels are changed", 17, width),
              "font-size='17' font-weight='bold'");
  canvas.text(kMargin, kMargin + 35, fitted(explained.tested_on + ", the most important pixels first", 13, width),
              "fill='#444'");
  draw_frame(canvas, lefts[0], "deleted: low is good");
  draw_frame(canvas, lefts[1], "inserted: high is good");
  for (std::size_t i = 0; i < explained.tested.size(); ++i) {
    const Explained::Tested& each = explained.tested[i];
    const bool is_random = each.map == "random";
    const char* colour = is_random ? kColours[4] : kColours[i % 4];
    const std::string style =
        fmt::format("stroke='{}' stroke-width='2'{}", colour, is_random ? " stroke-dasharray='5,4'" : "");
    for (int side = 0; side < 2; ++side) {
      const std::vector<double>& values = side == 0 ? each.curves.deletion : each.curves.insertion;
      std::vector<std::pair<double, double>> points;
      for (std::size_t k = 0; k < values.size(); ++k) {
        points.emplace_back(lefts[side] + kSide * each.curves.shares[k], kTop + kSide * (1 - values[k]));
      }
      canvas.line(points, style);
    }
    const double y = kTop + 14 + 38 * static_cast<double>(i);
    canvas.line({{legend, y - 4}, {legend + 26, y - 4}}, style);
    canvas.text(legend + 34, y, each.map);
    canvas.text(legend + 34, y + 15,
                fmt::format("areas {:.3f}, {:.3f}", each.curves.deletion_area, each.curves.insertion_area),
                "font-size='11' fill='#444'");
  }
  return canvas.render(width, static_cast<int>(kTop + kSide + 36));
}

}  // namespace duel

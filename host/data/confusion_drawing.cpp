#include "host/data/confusion_drawing.h"

#include "host/pictures/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr double kCell = 46, kLetter = 7.6, kMargin = 16;
constexpr double kSlant = 0.71;  // of a name that rises by 45 degrees

std::size_t letters(const std::string& name) {  // of UTF-8
  return static_cast<std::size_t>(std::count_if(
      name.begin(), name.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

class Drawing {
public:
  Drawing(const Confusion& confusion, const std::string& title)
      : confusion_(confusion), classes_(confusion.names.size()) {
    std::size_t longest = 6;
    for (const std::string& name : confusion_.names) {
      longest = std::max(longest, letters(name));
    }
    const double names = kLetter * static_cast<double>(longest);
    left_ = kMargin + std::max(names + 14, 70.0);
    top_ = kMargin + 48 + std::max(kSlant * names + 14, 40.0);
    const double side = kCell * static_cast<double>(classes_);
    width_ =
        std::max(left_ + side + 70 + kSlant * names * 0.5, kMargin * 2 + 8.6 * static_cast<double>(letters(title)));
    height_ = top_ + side + 60;
    right_ = left_ + side;
    bottom_ = top_ + side;
    text(kMargin, kMargin + 14, title, "font-size='16' font-weight='bold'");
    text(kMargin, kMargin + 34,
         fmt::format("{:.1f} % are called by their class; rows: the class, columns: what is called",
                     100 * confusion_.accuracy()),
         "fill='#444'");
  }

  std::string svg() {
    for (std::size_t label = 0; label < classes_; ++label) {
      row(label);
      column(label);
    }
    text(right_ + 10, top_ - 8, "recall", "fill='#444' font-size='12'");
    text(left_ - 8, bottom_ + 20, "precision", "fill='#444' font-size='12' text-anchor='end'");
    return fmt::format(
        "<svg xmlns='http://www.w3.org/2000/svg' width='{:.0f}' height='{:.0f}' font-family='DejaVu Sans, Arial, "
        "sans-serif' font-size='13'><rect width='100%' height='100%' fill='white'/>{}</svg>\n",
        width_, height_, body_);
  }

private:
  void text(double x, double y, const std::string& words, const std::string& style) {
    body_ += fmt::format("<text x='{:.0f}' y='{:.0f}' {}>{}</text>", x, y, style, markup_text(words));
  }

  double middle(double begin, std::size_t place) const { return begin + kCell * (static_cast<double>(place) + 0.5); }

  void row(std::size_t label) {
    const double y = middle(top_, label);
    text(left_ - 8, y + 4, confusion_.names[label], "text-anchor='end'");
    text(right_ + 10, y + 4, percent(confusion_.accuracy_of(label)), "fill='#444' font-size='12'");
    const std::int64_t all = std::max<std::int64_t>(confusion_.rows_of(label), 1);
    for (std::size_t called = 0; called < classes_; ++called) {
      const std::int64_t count = confusion_.counts[label][called];
      place(middle(left_, called), y, count, static_cast<double>(count) / static_cast<double>(all), label == called);
    }
  }

  void column(std::size_t called) {
    const double x = middle(left_, called);
    body_ += fmt::format("<text transform='translate({:.0f},{:.0f}) rotate(-45)'>{}</text>", x - 4, top_ - 8,
                         markup_text(confusion_.names[called]));
    text(x, bottom_ + 20, percent(confusion_.precision_of(called)), "fill='#444' font-size='12' text-anchor='middle'");
  }

  // From white to a dark blue where it is right, to a dark orange where it is not.
  void place(double x, double y, std::int64_t count, double share, bool is_right) {
    const double dark[2][3] = {{176, 68, 0}, {12, 68, 124}};
    const auto shade = [&](int channel) { return 255 + share * (dark[is_right ? 1 : 0][channel] - 255); };
    body_ += fmt::format(
        "<rect x='{:.0f}' y='{:.0f}' width='{:.0f}' height='{:.0f}' fill='rgb({:.0f},{:.0f},{:.0f})' "
        "stroke='#ddd'/>",
        x - kCell / 2, y - kCell / 2, kCell, kCell, shade(0), shade(1), shade(2));
    if (count > 0) {
      text(x, y + 5, fmt::format("{}", count),
           fmt::format("text-anchor='middle' fill='{}'", share > 0.5 ? "white" : "black"));
    }
  }

  static std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

  const Confusion& confusion_;
  std::size_t classes_;
  double left_ = 0, top_ = 0, right_ = 0, bottom_ = 0, width_ = 0, height_ = 0;
  std::string body_;
};

}  // namespace

std::string draw_confusion(const Confusion& confusion, const std::string& title) {
  return Drawing(confusion, title).svg();
}

}  // namespace duel

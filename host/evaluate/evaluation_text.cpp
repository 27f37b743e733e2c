#include "host/evaluate/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace duel {

namespace {

// Four digits that count.
std::string number(double value) {
  const double size = std::abs(value);
  return size != 0 && (size < 1e-3 || size >= 1e5) ? fmt::format("{:.3g}", value)
         : size >= 2 && size == std::floor(size)   ? fmt::format("{:.0f}", value)
         : size >= 100                             ? fmt::format("{:.1f}", value)
         : size >= 10                              ? fmt::format("{:.2f}", value)
                                                   : fmt::format("{:.4f}", value);
}

std::string digits(double distance) {
  return distance >= 10 || distance == 0 ? fmt::format("{:.1f}", distance) : fmt::format("{:.3g}", distance);
}

std::string number(const std::optional<double>& value, const std::optional<double>& spread = {}) {
  return !value ? "-" : spread ? fmt::format("{} +- {:.2g}", number(*value), *spread) : number(*value);
}

std::string percent(const std::optional<double>& share) {
  return share ? fmt::format("{:.1f} %", 100 * *share) : "-";
}

// Columns behind a first one, which stands at the left; each is as wide as its widest entry. The last one, text, too.
std::string table(const std::vector<std::vector<std::string>>& rows, bool has_text) {
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_left = i == 0 || (has_text && i + 2 >= row.size());
      line += is_left ? fmt::format("{:<{}}  ", row[i], widths[i]) : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string memorisation_text(const Memorisation& its, const char* what, const char* unit) {
  std::string text = fmt::format(
      "{}: {} generated pictures lie {}{} from the nearest of {} training pictures (median; {} {}: {}), "
      "{:.2f} times as far\n",
      what, its.generated, digits(its.median), unit, its.training, its.real, its.real_text, digits(its.real_median),
      its.ratio);
  text += fmt::format("  {:.1f} % of them are nearer than 99 % of those real ones are ({:.1f} % of these)\n",
                      100 * its.share_near, 100 * its.real_share_near);
  for (std::size_t i = 0; i < std::min<std::size_t>(its.closest.size(), 3); ++i) {
    const MemorisedPair& pair = its.closest[i];
    text += fmt::format("  closest: generated {} and training {}{}: {} apart, PSNR {:.1f} dB, SSIM {:.3f}\n",
                        pair.generated, pair.file.empty() ? fmt::format("{}", pair.training) : pair.file,
                        pair.is_mirrored ? ", mirrored" : "", digits(pair.distance), pair.psnr, pair.ssim);
  }
  return text;
}

std::string memorisation_text(const Evaluation& evaluation) {
  std::string text = memorisation_text(*evaluation.memorisation, "copies", " of 255");
  std::size_t by_features = 0;
  if (evaluation.memorisation_by_features) {
    text += memorisation_text(*evaluation.memorisation_by_features, "copies by features", "");
    by_features = evaluation.memorisation_by_features->closest.size();
  }
  if (!evaluation.sheet.empty()) {
    text +=
        fmt::format("  the {} closest pairs: {}{}\n", evaluation.memorisation->closest.size(), evaluation.sheet,
                    by_features == 0 ? "" : fmt::format(", and below them the {} closest by features", by_features));
  }
  return text;
}

}  // namespace

std::string to_text(const Evaluation& evaluation) {
  std::string text = fmt::format("{}: {} pictures{}\n", evaluation.subject, evaluation.count, evaluation.generated);
  text += fmt::format("data: {}, {}\n", evaluation.data, evaluation.picture);
  text += fmt::format("reference: {} {}; floor: {} {}\n", evaluation.count, evaluation.reference, evaluation.count,
                      evaluation.floor);
  text += fmt::format("extractor: {}, weights {}, {} features; resized: {}\n\n", evaluation.extractor.name,
                      evaluation.extractor.hash, evaluation.extractor.width, evaluation.extractor.resize);
  std::vector<std::vector<std::string>> rows = {{"", "generated", "floor", "better", ""}};
  for (const Figure& figure : evaluation.figures) {
    rows.push_back({figure.name, number(figure.value, figure.value_spread), number(figure.floor, figure.floor_spread),
                    figure.better, figure.remark});
  }
  text += table(rows, true);
  if (!evaluation.classes.empty()) {
    rows = {{"class", "generated", "reference", "Frechet", "floor", "agreement", "floor", "spread"}};
    for (const ClassFigures& each : evaluation.classes) {
      rows.push_back({each.name, fmt::format("{}", each.generated), fmt::format("{}", each.reference),
                      number(each.frechet), number(each.frechet_floor), percent(each.agreement),
                      percent(each.agreement_floor), number(each.spread)});
    }
    text += '\n';
    text += table(rows, false);
    if (evaluation.class_needs) {
      text += fmt::format("  (a class's Frechet distance needs {} pictures of it or more)\n", *evaluation.class_needs);
    }
  }
  if (evaluation.memorisation) {
    text += '\n';
    text += memorisation_text(evaluation);
  }
  for (const std::string& note : evaluation.notes) {
    text += "note: " + note + "\n";
  }
  return text;
}

}  // namespace duel

#include "host/explain/explained.h"

#include "host/files/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace duel {

namespace {

constexpr std::size_t kLines = 20;  // of pictures that are printed; the table has all

const char* name_of(Baseline baseline) {
  return baseline == Baseline::black ? "a black picture"
                                     : (baseline == Baseline::grey ? "a grey picture" : "the blurred picture");
}

bool has(const Explained& explained, Method method) {
  return std::find(explained.methods.begin(), explained.methods.end(), method) != explained.methods.end();
}

// The magnitudes of the gaps, ascending.
std::vector<double> gaps_of(const Explained& explained) {
  std::vector<double> gaps;
  for (const ExplainedPicture& picture : explained.pictures) {
    if (const auto gap = picture.completeness ? picture.completeness->gap() : std::nullopt) {
      gaps.push_back(std::abs(*gap));
    }
  }
  std::sort(gaps.begin(), gaps.end());
  return gaps;
}

std::string completeness_text(const Explained& explained) {
  const std::vector<double> gaps = gaps_of(explained);
  if (gaps.empty()) {
    return "";
  }
  std::string text = gaps.size() == 1
                         ? fmt::format(", which their sum misses by {:.2f} %", 100 * gaps[0])
                         : fmt::format(", which their sums miss by {:.2f} % at the median and {:.2f} % at most",
                                       100 * gaps[gaps.size() / 2], 100 * gaps.back());
  if (gaps.back() > 0.05) {
    text += fmt::format(" (more than {} points come nearer)", explained.integration.points);
  }
  return text;
}

std::string paragraph(const Explained& explained) {
  std::string text;
  if (has(explained, Method::gradients)) {
    text += " Input gradients show the pixels whose smallest change moves the logit most.";
  }
  if (has(explained, Method::smooth_gradients)) {
    text += fmt::format(" SmoothGrad shows their mean over {} copies with noise, in which single pixels cancel.",
                        explained.smoothing.samples);
  }
  if (has(explained, Method::grad_cam)) {
    text += fmt::format(
        " Grad-CAM shows where on the last map ({}x{} places, {} channels) the network found what "
        "speaks for it.",
        explained.map[0], explained.map[1], explained.map[2]);
  }
  if (has(explained, Method::integrated_gradients)) {
    text += fmt::format(
        " Integrated gradients share out among the pixels, red for and blue against, what the logit "
        "has above that of {}{}.",
        name_of(explained.integration.baseline), completeness_text(explained));
  }
  return text;
}

std::string line_of(const Explained& explained, const ExplainedPicture& picture) {
  std::string text = fmt::format("  {}: ", picture.file);
  if (explained.is_of_judge()) {
    text += fmt::format("logit {:.3f}{}", picture.logit,
                        explained.told.empty() ? "" : fmt::format(" as {}", explained.told));
  } else {
    text += fmt::format("{} {:.1f} %, logit {:.3f}", explained.name_of(picture.asked),
                        100 * picture.probabilities[static_cast<std::size_t>(picture.asked)], picture.logit);
  }
  if (picture.completeness) {
    const auto gap = picture.completeness->gap();
    text += gap ? fmt::format(", completeness gap {:+.2f} %", 100 * *gap)
                : std::string(", completeness gap unknown: the baseline's logit is the same");
  }
  return text + "\n";
}

std::string units_text(const Explained& explained) {
  std::vector<const Unit*> order;
  for (const Unit& unit : explained.units) {
    order.push_back(&unit);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Unit* a, const Unit* b) { return std::abs(a->effect) > std::abs(b->effect); });
  std::string text = fmt::format("units: {} channels; the logit has most of", explained.units.size());
  for (std::size_t i = 0; i < std::min<std::size_t>(order.size(), 5); ++i) {
    text += fmt::format("{} channel {} ({:+.3f})", i == 0 ? "" : ",", order[i]->channel, order[i]->effect);
  }
  return text + "\n";
}

std::string curves_text(const Explained& explained) {
  std::string text = fmt::format(
      "the probability of the class while pixels are deleted and inserted, the most important first, of {}:\n"
      "  {:<22}{:>10}{:>11}\n",
      explained.tested_on, "areas under the curves", "deletion", "insertion");
  for (const Explained::Tested& each : explained.tested) {
    text +=
        fmt::format("  {:<22}{:>10.4f}{:>11.4f}\n", each.map, each.curves.deletion_area, each.curves.insertion_area);
  }
  const auto random = std::find_if(explained.tested.begin(), explained.tested.end(),
                                   [](const Explained::Tested& each) { return each.map == "random"; });
  for (const Explained::Tested& each : explained.tested) {
    if (each.map != random->map && each.curves.deletion_area >= random->curves.deletion_area &&
        each.curves.insertion_area <= random->curves.insertion_area) {
      text += fmt::format("  {} says no more than a random map of what this network goes by\n", each.map);
    }
  }
  return text + "  a low deletion and a high insertion are good\n";
}

}  // namespace

const char* key_of(Method method) {
  switch (method) {
    case Method::gradients: return "gradient";
    case Method::smooth_gradients: return "smooth-grad";
    case Method::grad_cam: return "grad-cam";
    default: return "integrated";
  }
}

const char* title_of(Method method) {
  switch (method) {
    case Method::gradients: return "Input gradient";
    case Method::smooth_gradients: return "SmoothGrad";
    case Method::grad_cam: return "Grad-CAM";
    default: return "Integrated gradients";
  }
}

std::string to_text(const Explained& explained, const std::string& out) {
  std::string text;
  if (!explained.pictures.empty()) {
    text += fmt::format("{}: {} {} by the {} of step {}, a sheet each.{}\n", out, explained.pictures.size(),
                        explained.pictures.size() == 1 ? "picture" : "pictures", explained.network, explained.step,
                        paragraph(explained));
    for (std::size_t i = 0; i < std::min(explained.pictures.size(), kLines); ++i) {
      text += line_of(explained, explained.pictures[i]);
    }
    if (explained.pictures.size() > kLines) {
      text += fmt::format("  and {} more, in explanations.csv\n", explained.pictures.size() - kLines);
    }
  }
  text += explained.units.empty() ? "" : units_text(explained);
  text += explained.tested.empty() ? "" : curves_text(explained);
  return text;
}

std::string to_csv(const Explained& explained) {
  std::string text = "file,explained,logit,probability,method,full,top_tenth,x,y,completeness_gap\n";
  for (const ExplainedPicture& picture : explained.pictures) {
    for (const MapFigures& map : picture.maps) {
      const std::string probability =
          picture.probabilities.empty()
              ? ""
              : fmt::format("{:.6f}", picture.probabilities[static_cast<std::size_t>(picture.asked)]);
      std::string gap;
      if (map.method == Method::integrated_gradients && picture.completeness && picture.completeness->gap()) {
        gap = fmt::format("{:.6f}", *picture.completeness->gap());
      }
      text += fmt::format("{},{},{:.6f},{},{},{:.6g},{:.4f},{:.4f},{:.4f},{}\n", csv_field(picture.file),
                          csv_field(explained.name_of(picture.asked)), picture.logit, probability, key_of(map.method),
                          map.full, map.top_tenth, map.x, map.y, gap);
    }
  }
  return text;
}

std::string units_to_csv(const Explained& explained) {
  std::string text = "channel,activation,effect,strongest\n";
  for (const Unit& unit : explained.units) {
    std::string files;
    for (const Unit::Answering& each : unit.strongest) {
      files += (files.empty() ? "" : ";") + explained.pictures[static_cast<std::size_t>(each.picture)].file;
    }
    text += fmt::format("{},{:.6g},{:.6g},{}\n", unit.channel, unit.activation, unit.effect, csv_field(files));
  }
  return text;
}

}  // namespace duel

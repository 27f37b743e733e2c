#include "host/explain/picture_sheet.h"

#include "host/explain/explanation_sheet.h"
#include "host/pictures/sample_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>

namespace duel {

namespace {

constexpr std::size_t kNextClasses = 3;  // that a sheet names beside the one that is explained

std::string title_of(const Explained& explained, const ExplainedPicture& picture) {
  if (explained.is_of_judge()) {
    return fmt::format("logit {:.3f}{}", picture.logit, explained.told.empty() ? "" : " as " + explained.told);
  }
  return fmt::format("{}: {:.1f} %, logit {:.2f}", explained.name_of(picture.asked),
                     100 * picture.probabilities[static_cast<std::size_t>(picture.asked)], picture.logit);
}

std::string subtitle_of(const Explained& explained, const ExplainedPicture& picture) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < picture.probabilities.size(); ++i) {
    if (static_cast<int>(i) != picture.asked) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return picture.probabilities[a] > picture.probabilities[b]; });
  order.resize(std::min(order.size(), kNextClasses));
  const std::filesystem::path file = picture.file;
  std::string text = (file.parent_path().filename() / file.filename()).string();
  text += explained.is_of_judge() ? "; the greater, the more real" : "";
  for (std::size_t i = 0; i < order.size(); ++i) {
    text += fmt::format("{}{} {:.1f} %", i == 0 ? "; others: " : ", ", explained.names[order[i]],
                        100 * picture.probabilities[order[i]]);
  }
  return text;
}

std::vector<std::string> caption_of(const Explained& explained, const ExplainedPicture& picture,
                                    const MapFigures& map) {
  switch (map.method) {
    case Method::gradients: return {"where the smallest change", "moves the logit most"};
    case Method::smooth_gradients:
      return {fmt::format("the same, of {} copies", explained.smoothing.samples),
              fmt::format("with noise of {:g} of the range", explained.smoothing.sigma)};
    case Method::grad_cam:
      if (map.full == 0) {
        return {"nothing on the last map", "speaks for it"};
      }
      return {"where the last map speaks for", fmt::format("it, by {}x{} places", explained.map[0], explained.map[1])};
    default: {
      const auto gap = picture.completeness->gap();
      return {"red for it, blue against it", gap ? fmt::format("completeness gap {:+.2f} %", 100 * *gap)
                                                 : std::string("the baseline's logit is the same")};
    }
  }
}

}  // namespace

Picture draw_picture_sheet(const Explained& explained, const ExplainedPicture& picture, std::span<const float> values,
                           const Shape& shape, const std::vector<PictureMaps>& maps, std::size_t i) {
  const int factor = panel_factor(shape[1], shape[2]);
  const std::size_t pixels = static_cast<std::size_t>(shape[1]) * static_cast<std::size_t>(shape[2]);
  ExplanationSheet sheet{title_of(explained, picture), subtitle_of(explained, picture), {}};
  const Picture photo = in_colour(to_picture(values, shape[1], shape[2], shape[3]));
  sheet.panels.push_back({"The picture", {"as the network sees it"}, enlarged(photo, factor)});
  for (std::size_t k = 0; k < maps.size(); ++k) {
    const std::span<const float> map = std::span(maps[k].values).subspan(i * pixels, pixels);
    const MapFigures& figures = picture.maps[k];
    sheet.panels.push_back({title_of(figures.method), caption_of(explained, picture, figures),
                            enlarged(heat_over(map, maps[k].colours, figures.full, values, shape), factor),
                            maps[k].colours, figures.full});
  }
  return draw(sheet);
}

}  // namespace duel

#include "host/explain/picture_maps.h"

#include "host/explain/grad_cam.h"
#include "host/explain/input_gradients.h"
#include "kernels/gather.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>

namespace duel {

namespace {

std::vector<float> enlarged_grad_cam(Context& context, const AnsweringNetwork& network, const Questions& questions) {
  const Shape &map = network.map(), &picture = network.picture();
  const std::vector<float> small = grad_cam(context, network, questions);
  const std::size_t places = static_cast<std::size_t>(map[1]) * static_cast<std::size_t>(map[2]);
  std::vector<float> all;
  for (std::size_t i = 0; i < questions.asked.size(); ++i) {
    const std::vector<float> its =
        enlarged_map(std::span(small).subspan(i * places, places), map[1], map[2], picture[1], picture[2]);
    all.insert(all.end(), its.begin(), its.end());
  }
  return all;
}

}  // namespace

PictureMaps maps_of(Context& context, const AnsweringNetwork& network, Method method, const Questions& questions,
                    const Smoothing& smoothing, const Integration& integration) {
  PictureMaps maps;
  maps.method = method;
  const Shape& shape = network.picture();
  switch (method) {
    case Method::gradients:
      maps.values = greatest_magnitudes(input_gradients(context, network, questions), shape);
      break;
    case Method::smooth_gradients:
      maps.values = greatest_magnitudes(smooth_gradients(context, network, questions, smoothing), shape);
      break;
    case Method::grad_cam: maps.values = enlarged_grad_cam(context, network, questions); break;
    case Method::integrated_gradients: {
      IntegratedGradients found = integrated_gradients(context, network, questions, integration);
      maps.values = channel_sums(found.attributions, shape);
      maps.colours = HeatColours::direction;
      maps.completeness = std::move(found.completeness);
      break;
    }
  }
  return maps;
}

MapFigures figures_of(Method method, std::span<const float> map, int width) {
  MapFigures figures;
  figures.method = method;
  figures.full = full_strength(map);
  std::vector<double> sizes;
  double sum = 0, x = 0, y = 0;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const double size = std::abs(static_cast<double>(map[i]));
    sizes.push_back(size);
    sum += size;
    x += size * (static_cast<double>(i % static_cast<std::size_t>(width)) + 0.5);
    y += size * (static_cast<double>(i / static_cast<std::size_t>(width)) + 0.5);
  }
  const std::size_t tenth = (map.size() + 9) / 10;
  figures.top_tenth = static_cast<double>(tenth) / static_cast<double>(map.size());
  if (sum > 0) {
    const auto behind = sizes.begin() + static_cast<std::ptrdiff_t>(tenth);
    std::partial_sort(sizes.begin(), behind, sizes.end(), std::greater<>());
    double of_tenth = 0;
    std::for_each(sizes.begin(), behind, [&](double size) { of_tenth += size; });
    figures.top_tenth = of_tenth / sum;
    figures.x = x / sum / width;
    figures.y = y / sum / (static_cast<double>(map.size()) / width);
  }
  return figures;
}

std::vector<float> in_range(std::span<const std::uint8_t> pixels) {
  std::vector<float> values;
  values.reserve(pixels.size());
  for (const std::uint8_t pixel : pixels) {
    values.push_back(static_cast<float>(pixel) / kPictureScale.divisor + kPictureScale.shift);
  }
  return values;
}

}  // namespace duel

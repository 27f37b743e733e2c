// What a method finds over pictures, brought to a number for each pixel: as it is drawn, tested and told of.
#pragma once

#include "host/explain/explained.h"
#include "host/explain/heat_map.h"

#include <span>
#include <vector>

namespace duel {

struct PictureMaps {
  Method method = Method::gradients;
  HeatColours colours = HeatColours::strength;
  // [N,H,W]: of gradients the greatest magnitude of a pixel's channels, of integrated gradients their sum, of Grad-CAM
  // the places of the last map enlarged.
  std::vector<float> values;
  std::vector<IntegratedGradients::Completeness> completeness;  // of integrated gradients, [N]
};

PictureMaps maps_of(Context& context, const AnsweringNetwork& network, Method method, const Questions& questions,
                    const Smoothing& smoothing, const Integration& integration);

// Of one map, [H,width].
MapFigures figures_of(Method method, std::span<const float> map, int width);

// Pictures [N,H,W,C] as networks take them.
std::vector<float> in_range(std::span<const std::uint8_t> pixels);

}  // namespace duel

// The sheet of one explained picture.
#pragma once

#include "host/explain/picture_maps.h"
#include "host/pictures/png.h"

#include <span>
#include <vector>

namespace duel {

// `values`: the picture [1,H,W,C] of that shape, which is number `i` of those that the maps are of; the figures of its
// maps are known.
Picture draw_picture_sheet(const Explained& explained, const ExplainedPicture& picture, std::span<const float> values,
                           const Shape& shape, const std::vector<PictureMaps>& maps, std::size_t i);

}  // namespace duel

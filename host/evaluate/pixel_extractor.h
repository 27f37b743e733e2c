// Features without a network: the picture in 8x8 squares or fewer, the mean of each channel in each, in 0..1. They tell
// composition and colour, and no content; nothing has to be trained or fetched for them.
#pragma once

#include "host/evaluate/extractor.h"
#include "kernels/tensor.h"

#include <memory>
#include <span>
#include <vector>

namespace duel {

std::unique_ptr<Extractor> make_pixel_extractor(const Shape& picture);  // [1,H,W,C]

// A picture [height,width,channels] in squares of `side` pixels, those at the right and lower border smaller: the mean
// of each, in 0..1, appended to `to`.
void append_reduced(std::span<const std::uint8_t> picture, int height, int width, int channels, int side,
                    std::vector<float>& to);
// The least side that makes at most `most` squares a row and a column.
int reducing_side(int height, int width, int most);

}  // namespace duel

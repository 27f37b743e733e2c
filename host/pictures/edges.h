// The brightness of pictures, and where it changes.
#pragma once

#include "host/pictures/png.h"

namespace duel {

// Of 1 or 3 channels: (19595 R + 38470 G + 7471 B) / 65536, rounded, as Pillow's convert("L"). One channel.
Picture luma_of(const Picture& picture);

// Canny, "A computational approach to edge detection", 1986: the luma smoothed by a Gaussian of one pixel, its gradient
// by Sobel, greatest across the edge; above kStrongEdge, or above kWeakEdge and joined to such. One channel, 255 on an
// edge, else 0; none on the border.
Picture edges_of(const Picture& picture);
inline constexpr int kWeakEdge = 50, kStrongEdge = 100;  // of the length of Sobel's gradient, of levels of 255

}  // namespace duel

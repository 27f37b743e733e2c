// A picture of any size put through a network in tiles of one size, which overlap and are blended, so that neither is
// there a seam nor memory for more than a row of tiles.
//
// Tiles lie evenly along each side. In the middle of the overlap of two neighbours a smooth ramp of half the overlap
// leads from the one to the other; what lies nearer to a tile's border, which a network sees less around of, is not
// used. A side that is shorter than a tile is mirrored out to it, to the right and down, without its last pixel
// repeated.
#pragma once

#include "host/pictures/fit_picture.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace duel {

// Tiles along one side of a picture.
class TileAxis {
public:
  // length, tile: at least 1; overlap: less than tile.
  TileAxis(int length, int tile, int overlap);

  int count() const { return static_cast<int>(starts_.size()); }
  int start(int tile) const { return starts_[static_cast<std::size_t>(tile)]; }
  // How much of a tile counts at a pixel of the picture enlarged `scale` times. All tiles' come to 1.
  float weight(int tile, int pixel, int scale) const;

private:
  // From 0 to 1 about the middle of the overlap of a tile and the next one.
  float ramp(int tile, int pixel, int scale) const;

  int tile_, overlap_;
  std::vector<int> starts_;
};

struct TiledWork {
  PictureSize tile;  // in the picture that is given
  int overlap = 0;   // of two neighbours at least, in the same pixels; less than a side of a tile
  int at_once = 1;   // tiles
  int scale = 1;     // what comes is so many times larger
  int channels = 3;  // of what comes
  // From at most `at_once` tiles [tiles, height, width, channels] to what they become, in -1..1.
  std::function<std::vector<float>(std::span<const std::uint8_t> tiles)> network;
  std::function<void(std::int64_t done, std::int64_t count)> progress = {};  // in tiles
};

// The picture that the network makes of `given`, rounded as to_picture() does (sample_grid.h).
Picture restored_in_tiles(const Picture& given, const TiledWork& work);

}  // namespace duel

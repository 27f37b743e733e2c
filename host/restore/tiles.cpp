#include "host/restore/tiles.h"

#include "host/pictures/sample_grid.h"
#include "kernels/check.h"

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

// A place outside mirrored into 0..length-1.
int mirrored(int at, int length) {
  if (length == 1) {
    return 0;
  }
  const int period = 2 * (length - 1), rest = at % period;
  return std::min(rest, period - rest);
}

void append_tile(const Picture& picture, int top, int left, PictureSize tile, std::vector<std::uint8_t>& to) {
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (int y = top; y < top + tile.height; ++y) {
    const std::uint8_t* row =
        picture.pixels.data() + static_cast<std::size_t>(mirrored(y, picture.height)) * picture.width * channels;
    for (int x = left; x < left + tile.width; ++x) {
      const std::uint8_t* pixel = row + static_cast<std::size_t>(mirrored(x, picture.width)) * channels;
      to.insert(to.end(), pixel, pixel + channels);
    }
  }
}

// Rows of the result that tiles still add to, as sums; what is complete above them are bytes already.
class GrowingResult {
public:
  GrowingResult(int height, int width, int channels, int rows)
      : result_{height, width, channels, {}},
        row_(static_cast<std::size_t>(width) * channels),
        sums_(static_cast<std::size_t>(rows) * row_) {
    result_.pixels.reserve(static_cast<std::size_t>(height) * row_);
  }

  // No tile to come reaches above this row.
  void finish_to(int row) {
    const int rows = row - first_;
    if (rows <= 0) {
      return;
    }
    const std::size_t complete = static_cast<std::size_t>(rows) * row_;
    const Picture part = to_picture(std::span(sums_).first(complete), rows, result_.width, result_.channels);
    result_.pixels.insert(result_.pixels.end(), part.pixels.begin(), part.pixels.end());
    std::fill(std::copy(sums_.begin() + static_cast<std::ptrdiff_t>(complete), sums_.end(), sums_.begin()), sums_.end(),
              0.0F);
    first_ = row;
  }

  float* at(int y, int x) {
    return sums_.data() + static_cast<std::size_t>(y - first_) * row_ + static_cast<std::size_t>(x) * result_.channels;
  }

  Picture finish() {
    finish_to(result_.height);
    return std::move(result_);
  }

private:
  Picture result_;
  std::size_t row_;
  int first_ = 0;
  std::vector<float> sums_;
};

}  // namespace

TileAxis::TileAxis(int length, int tile, int overlap) : tile_(tile), overlap_(overlap) {
  check(length >= 1 && tile >= 1 && overlap >= 0 && overlap < tile,
        "tiles: a length of {} by tiles of {} that overlap by {}", length, tile, overlap);
  const int stride = tile - overlap, last = std::max(length - tile, 0);
  const int steps = (last + stride - 1) / stride;
  for (int i = 0; i < steps; ++i) {
    starts_.push_back(static_cast<int>(std::int64_t{last} * i / steps));
  }
  starts_.push_back(last);
}

float TileAxis::ramp(int tile, int pixel, int scale) const {
  if (tile < 0) {
    return 1;
  }
  if (tile + 1 == count()) {
    return 0;
  }
  const double middle = 0.5 * scale * (start(tile) + tile_ + start(tile + 1)), wide = 0.5 * scale * overlap_;
  const double from_middle = pixel + 0.5 - middle;
  if (wide == 0) {
    return from_middle < 0 ? 0.0F : 1.0F;
  }
  const double t = std::clamp(from_middle / wide + 0.5, 0.0, 1.0);
  return static_cast<float>(t * t * (3 - 2 * t));
}

float TileAxis::weight(int tile, int pixel, int scale) const {
  return ramp(tile - 1, pixel, scale) - ramp(tile, pixel, scale);
}

Picture restored_in_tiles(const Picture& given, const TiledWork& work) {
  const int scale = work.scale, channels = work.channels;
  const TileAxis down(given.height, work.tile.height, work.overlap), across(given.width, work.tile.width, work.overlap);
  const int height = scale * given.height, width = scale * given.width;
  const int tile_height = scale * work.tile.height, tile_width = scale * work.tile.width;
  const std::size_t tile_size = static_cast<std::size_t>(tile_height) * tile_width * channels;
  GrowingResult result(height, width, channels, std::min(tile_height, height));

  const auto add_tile = [&](int row, int column, const float* made) {
    const int top = scale * down.start(row), left = scale * across.start(column);
    const int rows = std::min(tile_height, height - top), columns = std::min(tile_width, width - left);
    std::vector<float> weights(static_cast<std::size_t>(columns));
    for (int x = 0; x < columns; ++x) {
      weights[static_cast<std::size_t>(x)] = across.weight(column, left + x, scale);
    }
    for (int y = 0; y < rows; ++y) {
      const float down_weight = down.weight(row, top + y, scale);
      if (down_weight == 0) {
        continue;
      }
      const float* from = made + static_cast<std::size_t>(y) * tile_width * channels;
      float* to = result.at(top + y, left);
      for (int x = 0; x < columns; ++x) {
        const float weight = down_weight * weights[static_cast<std::size_t>(x)];
        for (int c = 0; c < channels; ++c) {
          *to++ += weight * *from++;
        }
      }
    }
  };

  const std::int64_t count = std::int64_t{down.count()} * across.count();
  std::vector<std::uint8_t> tiles;
  for (std::int64_t first = 0; first < count; first += work.at_once) {
    const std::int64_t last = std::min(first + work.at_once, count);
    tiles.clear();
    for (std::int64_t i = first; i < last; ++i) {
      append_tile(given, down.start(static_cast<int>(i / across.count())),
                  across.start(static_cast<int>(i % across.count())), work.tile, tiles);
    }
    const std::vector<float> made = work.network(tiles);
    check(made.size() == static_cast<std::size_t>(last - first) * tile_size, "tiles: {} numbers of {} tiles of {}",
          made.size(), last - first, tile_size);
    for (std::int64_t i = first; i < last; ++i) {
      const int row = static_cast<int>(i / across.count());
      result.finish_to(scale * down.start(row));
      add_tile(row, static_cast<int>(i % across.count()),
               made.data() + static_cast<std::size_t>(i - first) * tile_size);
    }
    if (work.progress) {
      work.progress(last, count);
    }
  }
  return result.finish();
}

}  // namespace duel

#include "host/evaluate/pixel_extractor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace duel {

namespace {

constexpr int kMostSquares = 8;

class PixelExtractor : public Extractor {
public:
  explicit PixelExtractor(const Shape& picture)
      : height_(picture[1]),
        width_(picture[2]),
        channels_(picture[3]),
        side_(reducing_side(height_, width_, kMostSquares)) {
    facts_.name = "pixels";
    facts_.hash = "none (no weights)";
    facts_.resize = fmt::format("means of squares of {0}x{0} pixels", side_);
    const auto squares = [&](int extent) { return (extent + side_ - 1) / side_; };
    facts_.width = squares(height_) * squares(width_) * channels_;
  }

  const ExtractorFacts& facts() const override { return facts_; }

  Extraction extract(std::span<const std::uint8_t> pictures, std::int64_t count) override {
    Extraction result;
    const std::size_t bytes = pictures.size() / static_cast<std::size_t>(count);
    for (std::int64_t i = 0; i < count; ++i) {
      append_reduced(pictures.subspan(static_cast<std::size_t>(i) * bytes, bytes), height_, width_, channels_, side_,
                     result.features);
    }
    return result;
  }

private:
  int height_, width_, channels_, side_;
  ExtractorFacts facts_;
};

}  // namespace

std::unique_ptr<Extractor> make_pixel_extractor(const Shape& picture) {
  return std::make_unique<PixelExtractor>(picture);
}

void append_reduced(std::span<const std::uint8_t> picture, int height, int width, int channels, int side,
                    std::vector<float>& to) {
  for (int top = 0; top < height; top += side) {
    for (int left = 0; left < width; left += side) {
      const int bottom = std::min(top + side, height), right = std::min(left + side, width);
      for (int c = 0; c < channels; ++c) {
        int sum = 0;
        for (int y = top; y < bottom; ++y) {
          for (int x = left; x < right; ++x) {
            sum += picture[static_cast<std::size_t>((y * width + x) * channels + c)];
          }
        }
        to.push_back(static_cast<float>(sum) / (255.0F * static_cast<float>((bottom - top) * (right - left))));
      }
    }
  }
}

int reducing_side(int height, int width, int most) {
  return (std::max(height, width) + most - 1) / most;
}

}  // namespace duel

#include "host/pictures/sample_grid.h"

#include "kernels/check.h"

#include <algorithm>
#include <cstdint>

namespace duel {
namespace {

constexpr int kGap = 2;
constexpr std::uint8_t kGapTone = 72;     // stands out from products on black and on white
constexpr int kReadable = 64;             // smallest extent of a picture's longer side on a sheet
constexpr std::int64_t kMaxSide = 16384;  // of a sheet; read_png and most viewers go as far

std::uint8_t to_pixel(float value) {
  // Written so that a NaN fails the first comparison: converting one to an integer is undefined.
  if (!(value > -1.0F)) {
    return 0;
  }
  return value < 1.0F ? static_cast<std::uint8_t>((value + 1.0F) * 127.5F + 0.5F) : 255;
}

void check_picture(std::int64_t value_count, std::int64_t count, int height, int width, int channels) {
  check(height > 0 && width > 0 && channels >= 1 && channels <= 4,
        "sample_grid: pictures of {}x{} with {} channels cannot be drawn", height, width, channels);
  check(value_count == count * height * width * channels, "sample_grid: [{},{},{},{}] needs {} values, not {}", count,
        height, width, channels, count * height * width * channels, value_count);
}

struct Sizes {
  int scale;
  std::int64_t step_y, step_x;  // from one picture to the next
  std::int64_t height, width;   // of the sheet
};

Sizes sizes_of(int height, int width, int rows, int columns) {
  const int longer = std::max(height, width);
  const int scale = (std::max(longer, kReadable) + longer - 1) / longer;
  const std::int64_t step_y = std::int64_t{height} * scale + kGap;
  const std::int64_t step_x = std::int64_t{width} * scale + kGap;
  return {scale, step_y, step_x, rows * step_y + kGap, columns * step_x + kGap};
}

}  // namespace

std::optional<SheetShape> sheet_shape(int sheet_height, int sheet_width, int height, int width) {
  if (height <= 0 || width <= 0 || sheet_height <= kGap || sheet_width <= kGap) {
    return std::nullopt;
  }
  const Sizes one = sizes_of(height, width, 1, 1);
  if ((sheet_height - kGap) % one.step_y != 0 || (sheet_width - kGap) % one.step_x != 0) {
    return std::nullopt;
  }
  return SheetShape{static_cast<int>((sheet_height - kGap) / one.step_y),
                    static_cast<int>((sheet_width - kGap) / one.step_x)};
}

void check_sheet(int height, int width, int rows, int columns) {
  const Sizes sizes = sizes_of(height, width, rows, columns);
  if (sizes.height > kMaxSide || sizes.width > kMaxSide) {
    throw_error(Error::Kind::usage,
                "sample sheet: {} rows and {} columns of {}x{} pictures are {}x{} pixels; at most "
                "{} a side are drawn",
                rows, columns, height, width, sizes.height, sizes.width, kMaxSide);
  }
}

Picture to_picture(std::span<const float> values, int height, int width, int channels) {
  check_picture(std::ssize(values), 1, height, width, channels);
  Picture picture{height, width, channels, std::vector<std::uint8_t>(values.size())};
  std::transform(values.begin(), values.end(), picture.pixels.begin(), to_pixel);
  return picture;
}

std::int64_t sheet_bytes(int height, int width, int channels, int rows, int columns) {
  const Sizes sheet = sizes_of(height, width, rows, columns);
  return sheet.height * sheet.width * channels;
}

Picture sample_grid(std::span<const float> values, int count, int height, int width, int channels, int rows,
                    int columns) {
  check(count >= 0 && rows > 0 && columns > 0, "sample_grid: {} pictures cannot fill {} rows and {} columns", count,
        rows, columns);
  check_picture(std::ssize(values), count, height, width, channels);
  check_sheet(height, width, rows, columns);
  const auto [scale, step_y, step_x, sheet_height, sheet_width] = sizes_of(height, width, rows, columns);

  Picture sheet{static_cast<int>(sheet_height), static_cast<int>(sheet_width), channels, {}};
  sheet.pixels.assign(static_cast<std::size_t>(sheet_height * sheet_width * channels), kGapTone);
  if (channels == 2 || channels == 4) {  // what is no picture is opaque
    for (std::size_t opacity = static_cast<std::size_t>(channels) - 1; opacity < sheet.pixels.size();
         opacity += static_cast<std::size_t>(channels)) {
      sheet.pixels[opacity] = 255;
    }
  }
  const std::int64_t shown = std::min<std::int64_t>(count, std::int64_t{rows} * columns);
  for (std::int64_t n = 0; n < shown; ++n) {
    const float* picture = values.data() + n * height * width * channels;  // [height, width, channels]
    const std::int64_t top = kGap + n / columns * step_y;
    const std::int64_t left = kGap + n % columns * step_x;
    for (std::int64_t y = 0; y < step_y - kGap; ++y) {
      const float* from = picture + y / scale * width * channels;
      std::uint8_t* to = sheet.pixels.data() + ((top + y) * sheet_width + left) * channels;
      for (std::int64_t x = 0; x < step_x - kGap; ++x) {
        for (int c = 0; c < channels; ++c) {
          to[x * channels + c] = to_pixel(from[x / scale * channels + c]);
        }
      }
    }
  }
  return sheet;
}

}  // namespace duel

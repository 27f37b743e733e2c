#include "host/evaluate/network_input.h"

#include "host/files/file_descriptor.h"
#include "kernels/check.h"

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace duel {

namespace {

using Json = nlohmann::json;

constexpr int kMostPixels = 4096;  // a side
constexpr std::array<std::pair<ResampleFilter, const char*>, 3> kFilters = {{{ResampleFilter::bilinear, "bilinear"},
                                                                             {ResampleFilter::bicubic, "bicubic"},
                                                                             {ResampleFilter::lanczos, "lanczos"}}};

const char* name_of(ResampleFilter filter) {
  return std::find_if(kFilters.begin(), kFilters.end(), [&](const auto& each) { return each.first == filter; })->second;
}

[[noreturn]] void refuse(const std::string& file, const char* key, const Json& value, const char* must) {
  throw_error(Error::Kind::usage, "{}: {} is {}, but must be {}", file, key,
              value.dump(-1, ' ', false, Json::error_handler_t::replace), must);
}

int side_of(const std::string& file, const Json& value, const Json& whole) {
  if (!value.is_number_unsigned() || value < 1U || value > static_cast<unsigned>(kMostPixels)) {
    refuse(file, "size", whole, "pixels a side, 1 to 4096, one number or [height, width]");
  }
  return value.get<int>();
}

PictureSize size_of(const std::string& file, const Json& value) {
  if (value.is_array() && value.size() == 2) {
    return {side_of(file, value[0], value), side_of(file, value[1], value)};
  }
  const int side = side_of(file, value, value);
  return {side, side};
}

std::array<float, 3> three_of(const std::string& file, const char* key, const Json& value, bool must_be_positive) {
  std::array<float, 3> numbers{};
  bool is_good = value.is_array() && value.size() == numbers.size();
  for (std::size_t i = 0; is_good && i < numbers.size(); ++i) {
    is_good = value[i].is_number();
    numbers[i] = is_good ? value[i].get<float>() : 0;
    is_good = is_good && std::isfinite(numbers[i]) && (!must_be_positive || numbers[i] > 0);
  }
  if (!is_good) {
    refuse(file, key, value, must_be_positive ? "three numbers above 0" : "three numbers");
  }
  return numbers;
}

ResampleFilter filter_of(const std::string& file, const Json& value) {
  const auto found =
      std::find_if(kFilters.begin(), kFilters.end(), [&](const auto& each) { return value == each.second; });
  if (found == kFilters.end()) {
    refuse(file, "resize", value, "bilinear, bicubic or lanczos");
  }
  return found->first;
}

// The bytes of three channels, whatever the picture has.
Picture in_colour(std::span<const std::uint8_t> pixels, const Shape& shape) {
  const int channels = shape[3];
  const bool is_grey = channels <= 2, has_opacity = channels == 2 || channels == 4;
  Picture picture{shape[1], shape[2], 3, {}};
  picture.pixels.resize(static_cast<std::size_t>(shape[1]) * shape[2] * 3);
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    const std::uint8_t* pixel = &pixels[i / 3 * channels];
    const int value = pixel[is_grey ? 0 : i % 3];
    const int opacity = has_opacity ? pixel[channels - 1] : 255;
    picture.pixels[i] = static_cast<std::uint8_t>((value * opacity + 255 * (255 - opacity) + 127) / 255);
  }
  return picture;
}

}  // namespace

std::optional<NetworkInput> read_network_input(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    return std::nullopt;
  }
  const std::string file = path.string();
  const std::string text = read_text_file(path);
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw_error(Error::Kind::data, "{}: is no JSON file that can be read: {}", file, error.what());
  }
  const std::set<std::string> known = {"size", "resize", "order", "mean", "std", "source"};
  if (!json.is_object()) {
    throw_error(Error::Kind::usage, "{}: must be an object with the keys {}", file, fmt::join(known, ", "));
  }
  NetworkInput input;
  for (const auto& [key, value] : json.items()) {
    if (key == "size") {
      input.size = size_of(file, value);
    } else if (key == "resize") {
      input.filter = filter_of(file, value);
    } else if (key == "order") {
      if (value != "rgb" && value != "bgr") {
        refuse(file, "order", value, "rgb or bgr");
      }
      input.is_bgr = value == "bgr";
    } else if (key == "mean") {
      input.mean = three_of(file, "mean", value, false);
    } else if (key == "std") {
      input.deviation = three_of(file, "std", value, true);
    } else if (!known.contains(key)) {
      throw_error(Error::Kind::usage, "{}: has no key {}; its keys are {}", file, key, fmt::join(known, ", "));
    }
  }
  return input;
}

std::string to_text(const NetworkInput& input, PictureSize size) {
  return fmt::format("to {}x{} (width x height) by {}, antialiased; {}; (x - mean) / std of 0..1, mean {}, std {}",
                     size.width, size.height, name_of(input.filter), input.is_bgr ? "BGR" : "RGB",
                     fmt::join(input.mean, " "), fmt::join(input.deviation, " "));
}

void fill_network_input(const NetworkInput& input, PictureSize size, bool has_channels_last,
                        std::span<const std::uint8_t> picture, const Shape& shape, std::span<float> to) {
  Picture sized = in_colour(picture, shape);
  if (sized.height != size.height || sized.width != size.width) {
    sized = resampled(sized, size, input.filter);
  }
  const std::size_t pixels = static_cast<std::size_t>(size.height) * size.width;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const float scale = 1 / (255 * input.deviation[channel]), offset = -input.mean[channel] / input.deviation[channel];
    const std::uint8_t* from = &sized.pixels[input.is_bgr ? 2 - channel : channel];
    float* const first = has_channels_last ? &to[channel] : &to[channel * pixels];
    const std::size_t stride = has_channels_last ? 3 : 1;
    for (std::size_t i = 0; i < pixels; ++i) {
      first[i * stride] = static_cast<float>(from[3 * i]) * scale + offset;
    }
  }
}

}  // namespace duel

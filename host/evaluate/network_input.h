// What a network that others made takes for a picture: size, order of the channels, and what stands for black and
// white. A JSON file beside the network's says it, for no format of networks does; what it leaves out is as most
// networks for ImageNet have it.
//
//   { "size": [224, 224],                    height and width, or one number for both
//     "resize": "bicubic",                   or bilinear, lanczos: antialiased, as Pillow's (host/pictures/resample.h)
//     "order": "rgb",                        or bgr
//     "mean": [0.485, 0.456, 0.406],         of the channels in that order, where black is 0 and white is 1
//     "std": [0.229, 0.224, 0.225],
//     "source": "..." }                      for people
#pragma once

#include "host/pictures/resample.h"
#include "kernels/tensor.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace duel {

struct NetworkInput {
  std::optional<PictureSize> size;  // none: as the network's file says, or kUsualSize where that takes any
  ResampleFilter filter = ResampleFilter::bicubic;
  bool is_bgr = false;
  std::array<float, 3> mean = {0.485F, 0.456F, 0.406F}, deviation = {0.229F, 0.224F, 0.225F};
};
inline constexpr int kUsualSize = 224;

// None where there is no such file. Throws kind `data` for a file that cannot be read, and kind `usage` for what does
// not say what a network takes, naming the key.
std::optional<NetworkInput> read_network_input(const std::filesystem::path& file);

// "to 224x224 (width x height) by bicubic, antialiased; RGB; (x - mean) / std, of 0..1, mean 0.485 0.456 0.406, ..."
std::string to_text(const NetworkInput& input, PictureSize size);

// A picture [H,W,C] of `shape` [1,H,W,C] as the network takes it: `to` is [3,height,width], or [height,width,3] where
// the channels come last. Grey is repeated; what is transparent lies on white.
void fill_network_input(const NetworkInput& input, PictureSize size, bool has_channels_last,
                        std::span<const std::uint8_t> picture, const Shape& shape, std::span<float> to);

}  // namespace duel

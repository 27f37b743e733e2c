// Animations as GIF files, by libvips where that was built with cgif, as Debian's is.
#pragma once

#include "host/pictures/png.h"

#include <filesystem>
#include <span>
#include <string>

namespace duel {

// Why no GIF can be written, as a clause; "" where one can.
std::string why_no_gif();

// Frames of one size, each shown for so many milliseconds, over and over. 256 colours, chosen by libvips: equal frames
// become equal bytes with one version of it. Errors are of kind `data` and begin with the path.
void write_gif(const std::filesystem::path& file, std::span<const Picture> frames, int milliseconds);

}  // namespace duel

// A file that holds a photograph, opened by libvips as what its content says it is.
#pragma once

#include "host/pictures/vips/handles.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace duel {

enum class PhotographFormat : std::uint8_t { jpeg, png, webp, tiff, gif };
const char* name_of(PhotographFormat format);  // "JPEG"

// All functions throw kind `data`, beginning with the path.

// The whole file. Refused where it is none, empty, or larger than is read.
std::vector<std::byte> photograph_bytes(const std::filesystem::path& path);
PhotographFormat format_of(std::span<const std::byte> bytes, const std::filesystem::path& path);

// Its first picture, whose rows come from the top and once; a JPEG or WebP at a part of its size where `reduction` is
// more than 1. The bytes outlive it.
VipsPicture open_photograph(std::span<const std::byte> bytes, PhotographFormat format, int reduction,
                            const std::filesystem::path& path);

// Refuses what has more pixels than are read (decode.h).
void check_extents(const VipsImage* image, const std::filesystem::path& path);

// Says that the content cannot be decoded, and forgets what libvips says: it collects messages of all threads in one
// place, where they cannot be told apart.
[[noreturn]] void refuse_damaged(const std::filesystem::path& path, PhotographFormat format);

// Whose numbers are no brightnesses of red, green and blue, so that libvips must compute those.
bool is_of_a_colour_space(VipsInterpretation type);

}  // namespace duel

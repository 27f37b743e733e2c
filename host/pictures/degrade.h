// What spoils a picture, so that a network may learn to restore it. Pure functions of bytes and a row's number.
//
//   smaller  reduced by bicubic with antialiasing, as Pillow does (resample.h); the extents are multiples of the factor
//   noise    + N(0, s), s the row's own between the two numbers, in levels of 255; rounded and held in 0..255
//   blur     Gaussian of s pixels, to 4 s a side; the picture is mirrored beyond its border, as by scipy
//   motion   the mean along a line of n pixels in a direction of the row's own
//   jpeg     to JPEG of that quality and back, by libvips, colour halved below 90 as is usual
//   hole     a square of n pixels is missing: in the middle, so that figures can be compared with others'
//   strokes  what is missing are up to 5 broken lines, or up to 4 boxes, sized by the picture's shorter side (Suvorov
//   et
//            al., "Resolution-robust large mask inpainting", 2022: wide masks)
//   grey     luma, as Pillow's L
//   edges    Canny's (1986) of the luma: white lines on black
//   several  one of them, the row's own (job_of)
//
// A range, as jpeg:5-40, leaves each row a number of its own, all alike likely. Where pixels are missing the result has
// opacity as its last channel, 0 there and 255 elsewhere; what it has of colour there is mid-grey. Where one of several
// leaves holes, all have that channel.
#pragma once

#include "host/config/degradation.h"
#include "host/pictures/png.h"

#include <cstdint>
#include <vector>

namespace duel {

// The extents and channels of what such a picture becomes; no pixels. Throws kind `usage` where it cannot be done: a
// side that is no multiple of the factor, a hole that leaves nothing, opacity, grey of grey.
Picture degraded_form(const Degradation&, int height, int width, int channels);

// Of 1 or 3 channels. Another row has other noise, another direction, other strokes.
Picture degraded(const Degradation&, const Picture& picture, std::uint64_t row);

// The place among `jobs` of the one that a row has, of several.
std::size_t job_of(const Degradation& several, std::uint64_t row);

// [height, width]: 0 where pixels are missing, else 255. `is_placed`: a hole is not in the middle, but where the row
// has it, as in training.
// Of several: by the one that leaves holes, whichever the row's own is.
std::vector<std::uint8_t> known_pixels(const Degradation&, int height, int width, std::uint64_t row, bool is_placed);

// As it comes of JPEG; throws kind `data` in a program that was built without libvips.
Picture through_jpeg(const Picture& picture, int quality);

// What a person would see of it at the size and with the channels of the truth, and what a network is measured beside:
// enlarged by bicubic, grey in every channel, the mean of what is known in holes.
Picture shown_degraded(const Picture& degraded, int height, int width, int channels);

}  // namespace duel

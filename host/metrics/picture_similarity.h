// How alike two pictures of one size are, pixel by pixel and by their structure. Values of 0 to 255.
#pragma once

#include "host/pictures/png.h"

namespace duel {

// 10 log10(255^2 / mean squared difference) in decibels; infinity where they are equal.
double psnr(const Picture& a, const Picture& b);

// Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment", 2004, eq. 13 with K1 = 0.01, K2 = 0.03 and a Gaussian
// window of 11x11 pixels, sigma 1.5; the mean over all places where the window lies in the picture, and over channels.
// From -1 to 1, equal pictures 1. Pictures of less than kSsimWindow pixels a side are an error of kind `internal`.
double ssim(const Picture& a, const Picture& b);
inline constexpr int kSsimWindow = 11;

// Wang, Simoncelli and Bovik, "Multi-scale structural similarity", 2003, eq. 7, with their weights of five scales,
// each half as large as the one before (means of 2x2 pixels). Of pictures that are too small for five (176 pixels a
// side) the first `scales` of them are taken, and their weights enlarged to the sum of all five. Negative structure
// counts as 0.
double ms_ssim(const Picture& a, const Picture& b, int scales);
// The most scales for which a window lies in the picture; 0 where none does.
int ms_ssim_scales(int height, int width);

}  // namespace duel

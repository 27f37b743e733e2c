// The data set that needs no file: outlines of products, drawn with anti-aliased edges on black.
//
// For tests, for benchmarks at any extent, and for a first run before anything is downloaded. Picture n depends on n
// and the extents alone, so a smaller set is the beginning of a larger one, and no seed changes it.
#pragma once

#include "host/config/options.h"
#include "host/data/source.h"

#include <memory>

namespace duel {

inline constexpr int kSyntheticKinds = 8;  // box, plate, trousers, shirt, dress, shoe, bag, bottle; label n % 8

// Fields "picture" and "label". Size, place, tone and shading vary, with 3 channels the colour too; with 2 and 4 the
// last channel is opacity: the product's, on nothing. Reads the synthetic_* options; extents that cannot be drawn are
// an error of kind `usage`.
std::unique_ptr<const Source> draw_synthetic(const Options::Data& options);

// The pictures behind the last of draw_synthetic(): an eighth as many, one at least.
std::unique_ptr<const Source> draw_held_out_synthetic(const Options::Data& options);

}  // namespace duel

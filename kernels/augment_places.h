// Where the pixels of kernels/augment_pictures.h come from, for its backends. In both directions a result is the
// source, perhaps mirrored, moved and cut, with a box of zeros in it.
#pragma once

#include "kernels/augment_pictures.h"

namespace duel {

struct AugmentBox {  // rows top..bottom-1, columns left..right-1, within the picture
  int top = 0, bottom = 0, left = 0, right = 0;
  constexpr bool has(int row, int column) const {
    return row >= top && row < bottom && column >= left && column < right;
  }
};

// Pixel (row, column) of the result is the source's (row + down, across * column + begin) where it is in `filled` and
// not in `hole`, else zero.
struct AugmentPlaces {
  int down = 0;
  int across = 1, begin = 0;
  AugmentBox filled, hole;
  constexpr bool is_there(int row, int column) const { return filled.has(row, column) && !hole.has(row, column); }
};

constexpr int place_within(int place, int count) {
  return place < 0 ? 0 : place < count ? place : count;
}

constexpr AugmentPlaces places_forward(const AugmentPictures& p, const PictureAugmentation& a, int height, int width) {
  AugmentPlaces places;
  places.down = -a.down;
  places.across = a.is_mirrored ? -1 : 1;
  places.begin = a.is_mirrored ? width - 1 + a.right : -a.right;
  places.filled = {place_within(a.down, height), place_within(height + a.down, height), place_within(a.right, width),
                   place_within(width + a.right, width)};
  if (a.has_hole) {
    places.hole = {place_within(a.hole_row - p.hole_rows + 1, height), place_within(a.hole_row + p.hole_rows, height),
                   place_within(a.hole_column - p.hole_columns + 1, width),
                   place_within(a.hole_column + p.hole_columns, width)};
  }
  return places;
}

// Where the pixels of a box come from, as far as they come from somewhere; of a mirrored one left becomes right.
constexpr AugmentBox source_of(const AugmentPlaces& places, AugmentBox box) {
  const AugmentBox& filled = places.filled;
  box = {box.top > filled.top ? box.top : filled.top, box.bottom < filled.bottom ? box.bottom : filled.bottom,
         box.left > filled.left ? box.left : filled.left, box.right < filled.right ? box.right : filled.right};
  if (box.top >= box.bottom || box.left >= box.right) {
    return {};
  }
  const int first = places.across * box.left + places.begin, last = places.across * (box.right - 1) + places.begin;
  return {box.top + places.down, box.bottom + places.down, first < last ? first : last,
          (first < last ? last : first) + 1};
}

// The other way: where in dy the gradient of a pixel of x lies.
constexpr AugmentPlaces places_backward(const AugmentPictures& p, const PictureAugmentation& a, int height, int width) {
  const AugmentPlaces forward = places_forward(p, a, height, width);
  AugmentPlaces places;
  places.down = -forward.down;
  places.across = forward.across;
  places.begin = a.is_mirrored ? forward.begin : -forward.begin;
  places.filled = source_of(forward, forward.filled);
  places.hole = source_of(forward, forward.hole);
  return places;
}

}  // namespace duel

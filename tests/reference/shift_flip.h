// Reference of kernels/shift_flip.h; how each picture is moved is defined by picture_move there.
#pragma once

#include "kernels/shift_flip.h"
#include "tests/reference/array.h"

#include <algorithm>

namespace duel::test::reference {

// The mirrored picture first, then the move, as the contract has it.
inline Array shift_flip(const ShiftFlip& p, const Shape& shape, const Array& x, std::uint64_t step) {
  const int height = shape[1], width = shape[2], channels = shape[3];
  const auto place = [&](int n, int h, int w, int c) {
    return at(((std::int64_t{n} * height + h) * width + w) * channels + c);
  };
  Array y(x.size()), mirrored = x;
  for (int n = 0; n < shape[0]; ++n) {
    const PictureMove move = picture_move(p, step, static_cast<std::uint32_t>(n));
    for (int h = 0; h < height; ++h) {
      for (int w = 0; w < width; ++w) {
        for (int c = 0; c < channels; ++c) {
          mirrored[place(n, h, w, c)] = x[place(n, h, move.is_flipped ? width - 1 - w : w, c)];
        }
      }
    }
    for (int h = 0; h < height; ++h) {
      for (int w = 0; w < width; ++w) {
        const int from_h = h - move.down, from_w = w - move.right;
        const int near_h = std::clamp(from_h, 0, height - 1), near_w = std::clamp(from_w, 0, width - 1);
        const bool is_there = near_h == from_h && near_w == from_w;
        for (int c = 0; c < channels; ++c) {
          y[place(n, h, w, c)] = is_there || p.edge == PictureEdge::border ? mirrored[place(n, near_h, near_w, c)]
                                                                           : static_cast<double>(p.value);
        }
      }
    }
  }
  return y;
}

// As the transpose of the forward: each pixel that came from somewhere gives its gradient back there.
inline Array shift_flip_backward(const ShiftFlip& p, const Shape& shape, const Array& dy, std::uint64_t step) {
  Array places(dy.size()), dx(dy.size(), 0.0);
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = static_cast<double>(i);
  }
  ShiftFlip of_places = p;
  of_places.value = -1;
  const Array from = shift_flip(of_places, shape, places, step);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] >= 0) {
      dx[static_cast<std::size_t>(from[i])] += dy[i];
    }
  }
  return dx;
}

}  // namespace duel::test::reference

// Where the pixels of kernels/pad2d.h come from and go to along one axis, for its backends.
#pragma once

#include "kernels/pad2d.h"

namespace duel {

struct PadAxis {
  PadKind kind = PadKind::reflect;
  int extent = 1, before = 0, behind = 0;  // of x; the margins

  constexpr int padded() const { return before + extent + behind; }

  // The place in x of place `at` of y.
  constexpr int source(int at) const {
    const int i = at - before;
    if (i < 0) {
      return kind == PadKind::edge ? 0 : -i;
    }
    if (i >= extent) {
      return kind == PadKind::edge ? extent - 1 : 2 * (extent - 1) - i;
    }
    return i;
  }

  // Calls visit(place in y) for each place that takes place i of x, from the first on.
  template <class Visit>
  constexpr void each_use(int i, const Visit& visit) const {
    if (kind == PadKind::edge) {
      const int first = i == 0 ? 0 : before + i, last = i == extent - 1 ? padded() - 1 : before + i;
      for (int at = first; at <= last; ++at) {
        visit(at);
      }
      return;
    }
    if (i >= 1 && i <= before) {
      visit(before - i);
    }
    visit(before + i);
    if (i < extent - 1 && 2 * (extent - 1) - i < extent + behind) {
      visit(before + 2 * (extent - 1) - i);
    }
  }

  // From the one to before the other, places of x are taken once each.
  constexpr int first_single() const { return kind == PadKind::edge ? (before > 0 ? 1 : 0) : before + (before > 0); }
  constexpr int behind_single() const {
    return extent - (kind == PadKind::edge ? (behind > 0 ? 1 : 0) : behind + (behind > 0));
  }
};

inline PadAxis pad_rows_of(const Pad2d& p, const Shape& x) {
  return {p.kind, x[1], p.top, p.bottom};
}
inline PadAxis pad_columns_of(const Pad2d& p, const Shape& x) {
  return {p.kind, x[2], p.left, p.right};
}

}  // namespace duel

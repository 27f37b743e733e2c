#include "kernels/pad2d.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

#include <limits>

namespace duel {

DUEL_BACKENDS(pad2d, const Pad2d&, View x, View y);
DUEL_BACKENDS(pad2d_backward, const Pad2d&, View dy, View dx);

namespace {

void check_margins(const char* op, const Pad2d& p, const Shape& x) {
  check(x.rank() == 4, "{}: pictures are {}, but must be [N,H,W,C]", op, x);
  const auto fits = [&](int margin, int extent) {
    return margin >= 0 && (p.kind == PadKind::edge ? margin <= (1 << 24) : margin < extent);
  };
  check(fits(p.top, x[1]) && fits(p.bottom, x[1]) && fits(p.left, x[2]) && fits(p.right, x[2]),
        "{}: margins of {} above, {} left, {} below and {} right, by {}, do not fit pictures {}", op, p.top, p.left,
        p.bottom, p.right, name_of(p.kind), x);
}

void check_pictures(const char* op, const Pad2d& p, View small, View large) {
  check_float(op, "the picture", small);
  check_margins(op, p, small.shape);
  const Shape expected = pad2d_output(p, small.shape);
  check(large.shape == expected && large.dtype == small.dtype, "{}: {} with its margins is {}, not {}", op, small,
        View{nullptr, expected, small.dtype}, large);
  check(large.count() <= std::numeric_limits<int>::max(), "{}: {} has 2^31 elements or more", op, large);
}

}  // namespace

Shape pad2d_output(const Pad2d& p, const Shape& x) {
  check_margins("pad2d", p, x);
  return {x[0], x[1] + p.top + p.bottom, x[2] + p.left + p.right, x[3]};
}

void pad2d(Context& context, const Pad2d& p, View x, View y) {
  check_pictures("pad2d", p, x, y);
  context.run([&](auto& backend) { pad2d(backend, p, x, y); });
}

void pad2d_backward(Context& context, const Pad2d& p, View dy, View dx) {
  check_pictures("pad2d_backward", p, dx, dy);
  context.run([&](auto& backend) { pad2d_backward(backend, p, dy, dx); });
}

const char* name_of(PadKind kind) {
  switch (kind) {
    case PadKind::edge: return "edge";
    case PadKind::reflect: return "reflect";
  }
  throw Error(Error::Kind::internal, "name_of: unknown margin");
}

}  // namespace duel

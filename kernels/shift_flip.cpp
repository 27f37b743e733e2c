#include "kernels/shift_flip.h"

#include "kernels/arguments.h"
#include "kernels/dispatch.h"

namespace duel {

DUEL_BACKENDS(shift_flip, const ShiftFlip&, View x, View step, View y);
DUEL_BACKENDS(shift_flip_backward, const ShiftFlip&, View dy, View step, View dx);

namespace {

void check_move(const char* op, const ShiftFlip& p, const char* from_name, View from, View step, const char* to_name,
                View to) {
  check_counter(op, step);
  check_float(op, from_name, from);
  check(from.shape.rank() == 4, "{}: {} is {}, but must be pictures [N,H,W,C]", op, from_name, from);
  check_like(op, to_name, to, from_name, from);
  check(p.pixels >= 0 && p.pixels <= 65535, "{}: pictures are moved by up to {} pixels, but must be by 0 to 65535", op,
        p.pixels);
}

}  // namespace

void shift_flip(Context& context, const ShiftFlip& p, View x, View step, View y) {
  check_move("shift_flip", p, "x", x, step, "y", y);
  context.run([&](auto& backend) { shift_flip(backend, p, x, step, y); });
}

void shift_flip_backward(Context& context, const ShiftFlip& p, View dy, View step, View dx) {
  check_move("shift_flip_backward", p, "dy", dy, step, "dx", dx);
  check(p.edge == PictureEdge::value,
        "shift_flip_backward: pictures that repeat their border have no derivative here; fill with a value");
  context.run([&](auto& backend) { shift_flip_backward(backend, p, dy, step, dx); });
}

}  // namespace duel
